"""The model of holds: points set aside lot by lot, paid with, and given back with refunds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

from tests.machines import days
from tests.machines.accounts import Account, Lot, Parts, Reserved
from tests.machines.buying import Buying, Order
from tests.machines.programs import GRACE_DAYS, Rules


@dataclass(eq=False)
class Hold:
    """A hold, and what paid for its order once it was captured: `paid` less what came back."""

    account: Account
    order_id: str
    points: int
    rules: Rules
    reserved: Reserved
    status: str = "held"
    captured: int = 0
    paid: Parts = field(default_factory=list)

    def told(self) -> tuple[str, int, int]:
        """How it stands, what was captured, and what of it is back."""
        has_ended = self.status == "held" and self.reserved not in self.account.reserved
        back = self.captured - sum(points for _, points in self.paid)
        return ("expired" if has_ended else self.status, self.captured, back)


@dataclass
class Holding(Buying):
    """Holds of the members of one program; `captures` are in the order in which they came."""

    holds: list[Hold] = field(default_factory=list)
    captures: list[Hold] = field(default_factory=list)

    def hold(self, account: Account, points: int, order_id: str, lasting: timedelta) -> str:
        if account.status != "active":
            return f"member_{account.status}"
        if account.available() < points:
            return "insufficient_points"
        ends_at = self.now + lasting
        past, policy = None, self.rules.past_expiry
        if policy == "grace_days":
            past = (False, days.good_through(ends_at, GRACE_DAYS, self.zone))
        if policy == "reissue":
            past = (True, days.gone_at(ends_at, self.rules.expiry, self.zone))
        reserved = Reserved(account.take(points), ends_at, past)
        account.reserved.append(reserved)
        self.holds.append(Hold(account, order_id, points, self.rules, reserved))
        return ""

    def capture(self, one: Hold, points: int | None) -> str:
        wanted = one.points if points is None else points
        if wanted > one.points:
            return "capture_exceeds_hold"
        status, captured, _ = one.told()
        if status == "released":
            return "hold_released"
        if status == "captured":
            return "" if wanted == captured else "hold_captured"
        account = one.account
        if status == "expired":
            if account.status != "active":
                return f"member_{account.status}"
            if account.available() < wanted:
                return "hold_expired"
            one.paid = account.take(wanted)
        else:
            account.reserved.remove(one.reserved)
            one.paid, rest = divided(one.reserved.parts, wanted)
            self._restore(account, rest, one.rules)
        one.status, one.captured = "captured", wanted
        self.captures.append(one)
        if order := self.orders.get(one.order_id):
            self._points_back(one.order_id, order)
        return ""

    def release(self, one: Hold) -> str:
        status = one.told()[0]
        if status == "captured":
            return "hold_captured"
        if status == "held":
            one.status = "released"
            one.account.reserved.remove(one.reserved)
            self._restore(one.account, one.reserved.parts, one.rules)
        elif status == "expired":
            one.status = "expired"
        return ""

    def _points_back(self, order_id: str, order: Order) -> None:
        """As much as the money: the last capture first, and of it what was spent last."""
        mine = [
            one
            for one in self.captures
            if one.order_id == order_id and one.account is order.account
        ]
        captured = sum(one.captured for one in mine)
        back = sum(one.told()[2] for one in mine)
        due = captured - int(captured * order.share_left() + Fraction(1, 2)) - back
        for one in reversed(mine):
            there = sum(points for _, points in one.paid)
            part = max(0, min(due, there))
            one.paid, parts = divided(one.paid, there - part)
            if parts:
                self._restore(one.account, parts, one.rules)
            due -= part

    def _restore(self, account: Account, parts: Parts, rules: Rules) -> None:
        """Back to where they came from; past its date as the program says."""
        for lot, points in reversed(parts):
            past = account.is_past(lot, self.now)
            if past and rules.past_expiry != "original_expiry":
                lot = self._anew(account, lot, rules)
            account.put(lot, points)
        self._arrived(account)

    def _anew(self, account: Account, lot: Lot, rules: Rules) -> Lot:
        if rules.past_expiry == "reissue":
            ends = days.gone_at(self.now, rules.expiry, self.zone)
            return account.anew(lot, self.now, ends, is_young=True)
        ends = days.good_through(self.now, GRACE_DAYS, self.zone)
        return account.anew(lot, self.now, ends, is_young=False)


def divided(parts: Sequence[tuple[Lot, int]], points: int) -> tuple[Parts, Parts]:
    """The first `points` of some parts, and the rest of them."""
    first, rest = [], []
    for lot, there in parts:
        taken = min(points, there)
        points -= taken
        first += [(lot, taken)] if taken else []
        rest += [(lot, there - taken)] if there > taken else []
    return first, rest
