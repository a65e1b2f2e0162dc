"""The model of orders, refunds and visits: what is due, counted anew from all that was told.

Naive on purpose: money is shared out cent by cent, rates are fractions, and what limits have left
is looked up in the list of all orders.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.machines import days
from tests.machines.accounts import Account, Lot
from tests.machines.programs import (
    GOLD,
    GOLD_FROM_MINOR,
    LATE_DAYS,
    PLAIN,
    POINTS_OF_A_VISIT,
    VISITS_A_DAY,
    Rules,
    Shape,
)

Basket = tuple[int, int, int]
Back = int | tuple[str, int]


@dataclass(eq=False)
class Order:
    """An order as it stands, and what was known when it was told; `off` is the discount."""

    account: Account
    placed_at: datetime
    day: date
    basket: Basket
    off: int
    told: tuple[object, ...]
    rules: Rules
    rate: Fraction
    most: int | None
    is_stopped: bool
    carried: Fraction
    money_back: int = 0
    items_back: dict[str, int] = field(default_factory=lambda: {"cream": 0, "soap": 0})
    is_cancelled: bool = False
    issued: int = 0
    taken: int = 0
    short: int = 0

    @property
    def whole(self) -> Fraction:
        """What it earns exactly, before limits."""
        return self.exact + self.carried

    @property
    def exact(self) -> Fraction:
        """The same without what was left over from others."""
        return Fraction(0 if self.is_cancelled else self.left(), 100) * self.rate

    @property
    def due(self) -> int:
        if self.is_cancelled or self.is_stopped:
            return 0
        whole = max(0, int(self.whole))
        return whole if self.most is None else min(whole, self.most)

    @property
    def spend(self) -> int:
        """What counts towards a tier."""
        return 0 if self.is_cancelled else self.left()

    def left(self) -> int:
        """The money that was not given back; below zero where more came back than there was."""
        count, unit, soap = self.basket
        cost = {"cream": count * unit, "soap": soap}
        paid = shared(max(0, sum(cost.values()) - self.off), cost)
        counts = {"cream": count, "soap": 1}
        there = sum(paid[one] * (counts[one] - self.items_back[one]) // counts[one] for one in cost)
        return there - self.money_back

    def share_left(self) -> Fraction:
        """Which part of it is left: of its money, or of its price where no money was paid."""
        count, unit, soap = self.basket
        bought = {"cream": count, "soap": int(soap > 0)}
        if self.is_cancelled or all(self.items_back.get(sku, 0) == n for sku, n in bought.items()):
            return Fraction(0)
        paid = max(0, count * unit + soap - self.off)
        if paid:
            return Fraction(self.left(), paid)
        price = count * unit + soap
        left = (count - self.items_back["cream"]) * unit + (1 - self.items_back["soap"]) * soap
        return Fraction(left, price) if price else Fraction(1)

    def is_too_much(self) -> bool:
        count, _, soap = self.basket
        bought = {"cream": count, "soap": int(soap > 0)}
        too_many = any(back > bought.get(sku, 0) for sku, back in self.items_back.items())
        return too_many or self.left() < 0


def shared(amount: int, parts: dict[str, int]) -> dict[str, int]:
    """One after the other to whoever is furthest below its share; of equals to the first."""
    shares = dict.fromkeys(parts, 0)
    for _ in range(amount):
        next_one = max(parts, key=lambda one: Fraction(parts[one], 2 * shares[one] + 1))
        shares[next_one] += 1
    return shares


@dataclass
class Buying:
    """What is bought, brought back and visited in one program."""

    zone: str
    now: datetime
    accounts: list[Account]
    versions: list[tuple[datetime, Rules]] = field(default_factory=list)
    shape: Shape = PLAIN
    orders: dict[str, Order] = field(default_factory=dict)
    waiting: dict[str, list[Back]] = field(default_factory=dict)
    visits: list[tuple[Account, date]] = field(default_factory=list)

    @property
    def rules(self) -> Rules:
        return self.versions[-1][1]

    def rules_at(self, at: datetime) -> Rules:
        """The version in force then; the first for what was before it."""
        until_then = [rules for applied_at, rules in self.versions if applied_at <= at]
        return until_then[-1] if until_then else self.versions[0][1]

    def record(
        self, order_id: str, account: Account, placed_at: datetime, basket: Basket, off: int
    ) -> str:
        told = (account, placed_at, basket, off)
        if order_id in self.orders:
            return "" if self.orders[order_id].told == told else "order_conflict"
        if refusal := self._refusal(account, placed_at, "order"):
            return refusal
        order = self._decided(account, placed_at, basket, off, told)
        self.orders[order_id] = order
        self._issue(order, order.due)
        self._find_tier(account, placed_at)
        for back in self.waiting.pop(order_id, []):
            self.refund(order_id, back)
        return ""

    def refund(self, order_id: str, back: Back) -> str:
        """One that comes before its order waits; what is too much by then is left out."""
        if order_id not in self.orders:
            self.waiting.setdefault(order_id, []).append(back)
            return ""
        order = self.orders[order_id]
        before = order.money_back, dict(order.items_back)
        if isinstance(back, int):
            order.money_back += back
        else:
            order.items_back[back[0]] = order.items_back.get(back[0], 0) + back[1]
        if order.is_too_much():
            order.money_back, order.items_back = before
            return "refund_exceeds_order"
        self._points_back(order_id, order)
        self._take(order)
        return ""

    def cancel(self, order_id: str) -> str:
        order = self.orders[order_id]
        if not order.is_cancelled:
            order.is_cancelled = True
            self._points_back(order_id, order)
            self._take(order)
        return ""

    def amend(self, order_id: str, basket: Basket, off: int) -> str:
        order = self.orders[order_id]
        if order.is_cancelled:
            return "order_cancelled"
        before, was_due = (order.basket, order.off), order.due
        order.basket, order.off = basket, off
        if order.is_too_much():
            order.basket, order.off = before
            return "amendment_below_refunds"
        if before == (basket, off):
            return ""
        if order.due > was_due:
            if not self._has_room(order, was_due):
                order.basket, order.off = before
                return "amendment_above_limits"
            if order.account.status == "closed":
                order.basket, order.off = before
                return "member_closed"
            # What was forgiven is still there, and not given again.
            again = min(order.due - was_due, order.short)
            order.short -= again
            order.taken -= again
            self._issue(order, order.due - was_due - again)
            self._find_tier(order.account, self.now)
        else:
            self._take(order)
        return ""

    def _points_back(self, order_id: str, order: Order) -> None:
        """Of points that paid for an order, give back what is due: see `holding`."""
        raise NotImplementedError

    def _has_room(self, order: Order, was_due: int) -> bool:
        """Whether other orders have left what an amendment adds."""
        others = [
            one
            for one in self.orders.values()
            if one is not order and one.account is order.account and one.due > 0
        ]
        today = [one for one in others if one.day == order.day]
        limit, is_new = self.shape.limit, was_due == 0
        if limit == "caps: {day: 25}":
            return order.due + sum(one.due for one in today) <= 25
        if limit == "times: {day: 2}":
            return not is_new or len(today) < 2
        if "cooldown" in limit:
            near = timedelta(hours=5)
            return not is_new or all(abs(one.placed_at - order.placed_at) >= near for one in others)
        return True

    def visit(self, account: Account, at: datetime) -> str:
        if refusal := self._refusal(account, at, "event"):
            return refusal
        day = days.local_day(at, self.zone)
        so_far = self.visits.count((account, day))
        if so_far < VISITS_A_DAY:
            self.visits.append((account, day))
            account.lifetime += POINTS_OF_A_VISIT
            earned_at = min(at, self.now)
            expires_at = days.gone_at(earned_at, self.rules_at(at).expiry, self.zone)
            lot = Lot(len(account.lots), "visit", earned_at, earned_at, expires_at)
            account.put(lot, POINTS_OF_A_VISIT)
            self._arrived(account)
        self._find_tier(account, at)
        return ""

    def _refusal(self, account: Account, at: datetime, what: str) -> str:
        if at > self.now + timedelta(seconds=60):
            return f"{what}_in_future"
        if at < self.now - timedelta(days=LATE_DAYS):
            return f"{what}_too_late"
        return "member_closed" if account.status == "closed" else ""

    def _decided(
        self,
        account: Account,
        placed_at: datetime,
        basket: Basket,
        off: int,
        told: tuple[object, ...],
    ) -> Order:
        """What is known when an order is told: this stays, whatever comes."""
        day = days.local_day(placed_at, self.zone)
        mine = [one for one in self.orders.values() if one.account is account]
        gave = [one for one in mine if one.due > 0]
        today = [one for one in gave if one.day == day]
        limit = self.shape.limit
        near = timedelta(hours=5)
        return Order(
            account,
            placed_at,
            day,
            basket,
            off,
            told,
            self.rules_at(placed_at),
            rate=Fraction(GOLD) if account.tier_at(placed_at) == "golden" else Fraction(1),
            most={
                "caps: {day: 25}": max(0, 25 - sum(one.due for one in today)),
                "caps: {once: 9}": 9,
            }.get(limit),
            is_stopped=(limit == "times: {day: 2}" and len(today) >= 2)
            or ("cooldown" in limit and any(abs(one.placed_at - placed_at) < near for one in gave)),
            carried=self._left_over(mine),
        )

    def _left_over(self, mine: list[Order]) -> Fraction:
        """What all orders are worth exactly, less what they are due."""
        if self.shape.limit != "carry: true":
            return Fraction(0)
        return sum((one.exact - one.due for one in mine), start=Fraction(0))

    def _issue(self, order: Order, points: int) -> None:
        account, rules = order.account, order.rules
        account.lifetime += points
        order.issued += points
        if not points:
            return
        matures_at = days.available_from(order.placed_at, rules.pending_days, self.zone)
        expires_at = days.gone_at(order.placed_at, rules.expiry, self.zone)
        earned_at = min(order.placed_at, self.now)
        lot = Lot(len(account.lots), order, earned_at, matures_at, expires_at)
        lot.waiting = matures_at > self.now
        account.put(lot, points)
        self._arrived(account)

    def _take(self, order: Order) -> None:
        """Take what is due no more, from the member or, by the rules of the order, as a debt."""
        account = order.account
        asked, missing = account.take_back(order, order.issued - order.due, order.taken)
        order.taken += asked
        owes = order.rules.when_spent == "allow_debt"
        account.debt += missing if owes else 0
        order.short += 0 if owes else missing
        account.lifetime -= asked if owes else asked - missing
        self._find_tier(account, self.now)

    def _find_tier(self, account: Account, at: datetime) -> None:
        """The level of all that was spent so far, from the moment of what changed it."""
        if not self.shape.has_tiers:
            return
        mine = [one for one in self.orders.values() if one.account is account]
        tier = "golden" if sum(one.spend for one in mine) >= GOLD_FROM_MINOR else "member"
        account.hold(tier, min(at, self.now))

    def _arrived(self, account: Account) -> None:
        """What is past its date is gone at once; what is left pays debt first."""
        account.expire(self.now)
        account.pay_debt()
