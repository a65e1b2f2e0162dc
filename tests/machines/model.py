"""What a program's guide says must happen, in plain Python: lots in a list, nothing kept twice.

Each verb returns the code of the refusal, or "" where it is done. Nothing of the service is
imported: the rules are those of docs/programs.md, docs/errors.md and docs/decisions.
"""

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.machines import days
from tests.machines.accounts import Account, Figures, Lot, Tier
from tests.machines.programs import (
    GRACE_DAYS,
    LATE_DAYS,
    PER_GRANT,
    PER_MONTH,
    PRICES,
    RARE_FOR_ONE,
    STOCK_OF_RARE,
    Rules,
)


@dataclass(eq=False)
class Gift:
    """Points given (or taken: `parts`) by hand."""

    account: Account
    points: int
    paid_by: tuple[str, str]
    parts: list[tuple[Lot, int]] = field(default_factory=list)
    undone: bool = False


@dataclass(eq=False)
class Exchange:
    """A redemption."""

    account: Account
    reward: str
    rules: Rules
    parts: list[tuple[Lot, int]]
    status: str = "pending"


@dataclass
class Model:
    """One program with its members."""

    zone: str
    now: datetime
    accounts: list[Account]
    versions: list[tuple[datetime, Rules]] = field(default_factory=list)
    orders: dict[str, tuple[object, ...]] = field(default_factory=dict)
    gifts: list[Gift] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    used: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        return self.versions[-1][1]

    def rules_at(self, at: datetime) -> Rules:
        """The version in force then; the first for what was before it."""
        until_then = [rules for applied_at, rules in self.versions if applied_at <= at]
        return until_then[-1] if until_then else self.versions[0][1]

    def pass_time(self, to: datetime) -> None:
        self.now = to
        for account in self.accounts:
            account.pass_time(to)

    def forecast(self, account: Account, at: datetime) -> Figures:
        later = copy.deepcopy(account)
        later.pass_time(at)
        return later.figures()

    def record(
        self, order_id: str, account: Account, placed_at: datetime, amount: int, off: int
    ) -> str:
        told = (account, placed_at, amount, off)
        if order_id in self.orders:
            return "" if self.orders[order_id] == told else "order_conflict"
        if placed_at > self.now + timedelta(seconds=60):
            return "order_in_future"
        if placed_at < self.now - timedelta(days=LATE_DAYS):
            return "order_too_late"
        if account.status == "closed":
            return "member_closed"
        self.orders[order_id] = told
        self._earn(order_id, account, placed_at, max(0, amount - off) // 100)
        return ""

    def _earn(self, order_id: str, account: Account, placed_at: datetime, points: int) -> None:
        account.lifetime += points
        if not points:
            return
        rules = self.rules_at(placed_at)
        matures_at = days.available_from(placed_at, rules.pending_days, self.zone)
        expires_at = days.gone_at(placed_at, rules.expiry, self.zone)
        earned_at = min(placed_at, self.now)
        lot = Lot(len(account.lots), order_id, earned_at, matures_at, expires_at)
        lot.waiting = matures_at > self.now
        account.put(lot, points)
        self._arrived(account)

    def give(self, account: Account, points: int, person: str) -> str:
        if account.status == "closed":
            return "member_closed"
        if points < 0 and account.available() < -points:
            return "insufficient_points"
        month = (person, days.local_day(self.now, self.zone).isoformat()[:7])
        if person != "admin":
            over_month = self.used.get(month, 0) + abs(points) > PER_MONTH
            if abs(points) > PER_GRANT or over_month:
                return "limit_exceeded"
        self.used[month] = self.used.get(month, 0) + abs(points)
        gift = Gift(account, points, month)
        self.gifts.append(gift)
        if points < 0:
            gift.parts = account.take(-points)
            return ""
        expires_at = days.gone_at(self.now, self.rules.expiry, self.zone)
        account.put(Lot(len(account.lots), gift, self.now, self.now, expires_at), points)
        self._arrived(account)
        return ""

    def undo(self, gift: Gift, person: str) -> str:
        if gift.undone:
            return "already_reversed"
        if person != "admin" and abs(gift.points) > PER_GRANT:
            return "limit_exceeded"
        gift.undone = True
        self.used[gift.paid_by] -= abs(gift.points)
        if gift.points < 0:
            self._restore(gift.account, gift.parts, self.rules)
        else:
            # What was spent stays given: it makes no room in the month.
            self.used[gift.paid_by] += self._claw_back(gift)
        return ""

    def _claw_back(self, gift: Gift) -> int:
        """Its own points first, those that ended count; then soonest first; then debt, or not."""
        account = gift.account
        own = [lot for lot in account.lots if lot.source is gift]
        owed = gift.points - sum(lot.expired for lot in own)
        for lot in own:
            owed -= lot.points
            lot.points = 0
        assert owed >= 0, "the model took back more than was given"
        owed -= sum(part for _, part in account.take(owed))
        if self.rules.when_spent == "allow_debt":
            account.debt += owed
        return owed

    def place(self, account: Account, reward: str, points: int) -> str:
        if points not in PRICES[reward]:
            return "points_not_offered"
        if account.status != "active":
            return f"member_{account.status}"
        if account.available() < points:
            return "insufficient_points"
        alive = [
            one
            for one in self.exchanges
            if one.reward == reward == "rare" and one.status not in ("failed", "cancelled")
        ]
        if sum(one.account is account for one in alive) >= RARE_FOR_ONE:
            return "reward_limit_reached"
        if len(alive) >= STOCK_OF_RARE:
            return "reward_sold_out"
        self.exchanges.append(Exchange(account, reward, self.rules, account.take(points)))
        return ""

    def issued(self, one: Exchange) -> None:
        one.status = "issued" if one.status == "pending" else one.status

    def failed(self, one: Exchange) -> None:
        if one.status == "pending":
            self._came_to_nothing(one, "failed")

    def ask_to_cancel(self, one: Exchange) -> str:
        if one.status == "pending":
            return "redemption_pending"
        if one.status in ("failed", "used"):
            return "redemption_final"
        one.status = "cancelling" if one.status == "issued" else one.status
        return ""

    def withdrawn(self, one: Exchange, times_used: int) -> None:
        if one.status == "cancelling" and times_used:
            one.status = "used"
        elif one.status == "cancelling":
            self._came_to_nothing(one, "cancelled")

    def change_status(self, account: Account, status: str) -> str:
        if account.status == "closed" != status:
            return "member_status_final"
        account.status = status
        return ""

    def stand(self, account: Account, tiers: list[Tier]) -> str:
        account.stand(tiers)
        return ""

    def _came_to_nothing(self, one: Exchange, status: str) -> None:
        one.status = status
        self._restore(one.account, one.parts, one.rules)

    def _restore(self, account: Account, parts: list[tuple[Lot, int]], rules: Rules) -> None:
        """Back to where they came from; past its date as the program says."""
        for lot, points in reversed(parts):
            end = account.end(lot)
            past = end is not None and end <= self.now
            if past and rules.past_expiry != "original_expiry":
                lot = self._anew(account, lot, rules)
            account.put(lot, points)
        self._arrived(account)

    def _anew(self, account: Account, lot: Lot, rules: Rules) -> Lot:
        earned_at, ends = lot.earned_at, days.good_through(self.now, GRACE_DAYS, self.zone)
        if rules.past_expiry == "reissue":
            earned_at, again = self.now, days.gone_at(self.now, rules.expiry, self.zone)
            return Lot(len(account.lots), lot.source, earned_at, self.now, again)
        return Lot(len(account.lots), lot.source, earned_at, self.now, ends)

    def _arrived(self, account: Account) -> None:
        """What is past its date is gone at once; what is left pays debt first."""
        account.expire(self.now)
        account.pay_debt()
