"""What a program's guide says must happen, in plain Python: lots in a list, nothing kept twice.

Each verb returns the code of the refusal, or "" where it is done. Nothing of the service is
imported: the rules are those of docs/programs.md, docs/errors.md and docs/decisions.
"""

import copy
from dataclasses import dataclass, field
from datetime import datetime

from tests.machines import days
from tests.machines.accounts import Account, Figures, Lot, Tier
from tests.machines.holding import Holding
from tests.machines.programs import (
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
class Model(Holding):
    """One program with its members."""

    gifts: list[Gift] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    used: dict[tuple[str, str], int] = field(default_factory=dict)

    def pass_time(self, to: datetime) -> None:
        self.now = to
        for account in self.accounts:
            account.pass_time(to)

    def forecast(self, account: Account, at: datetime) -> Figures:
        later = copy.deepcopy(account)
        later.pass_time(at)
        return later.figures()

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
        _, owed = gift.account.take_back(gift, gift.points)
        if self.rules.when_spent == "allow_debt":
            gift.account.debt += owed
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
