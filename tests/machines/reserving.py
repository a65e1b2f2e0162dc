"""What the machine does with holds: places them, captures, releases, lets time end them."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machines.accounts import Account
from tests.machines.buying import Back, Basket
from tests.machines.drawing import around, baskets, few_points, given_back, which, who
from tests.machines.model import Model
from tests.machines.shopping import Shopping, one_of
from tests.machines.verbs import Verbs

SECOND, DAY, WEEK = timedelta(seconds=1), timedelta(days=1), timedelta(days=7)
lastings = st.sampled_from((SECOND, 900 * SECOND, DAY, 3 * DAY, WEEK))
# Of a hold: all of it, as if nothing was said; all; a part; too much; or none, which releases it.
shares = st.sampled_from((None, 0, 1, 5, 10, 13))


class Reserving(Shopping):
    """The rules of the machine that are about holds."""

    model: Model
    verbs: Verbs
    _rich: Callable[[int], list[Account]]
    _move_to: Callable[..., None]
    undo: Callable[[int, str], None]

    @rule(whose=who, points=few_points, lasting=lastings, number=which)
    def hold(self, whose: int, points: int, lasting: timedelta, number: int) -> None:
        self._hold(whose, points, self._an_order_id(number), lasting)

    @precondition(lambda self: self._rich(1))
    @rule(number=which, but=st.integers(-1, 3), lasting=lastings)
    def hold_what_is_there(self, number: int, but: int, lasting: timedelta) -> None:
        account = one_of(self._rich(1), number)
        points = max(1, account.available() - but)
        whose = self.model.accounts.index(account)
        self._hold(whose, points, self._an_order_id(number), lasting)

    @precondition(lambda self: self._rich(1))
    @rule(number=which, around=around, more=st.integers(0, 2))
    def hold_past_the_end_of_points(self, number: int, around: timedelta, more: int) -> None:
        """The points' day ends while they are held, or in that very instant."""
        account = one_of(self._rich(1), number)
        ends = [at for at in (account.end(lot) for lot in account.spendable()) if at]
        soonest = min(ends, default=self.model.now + WEEK)
        before = soonest + around - 900 * SECOND
        if before > self.model.now:
            self._move_to(before)
        whose = self.model.accounts.index(account)
        points = max(1, account.available())
        self._hold(whose, points, self._an_order_id(number), (900 + more * 86400) * SECOND)

    @precondition(lambda self: self.model.gifts)
    @rule(number=which, lasting=lastings, later=around)
    def owe_while_all_is_held(self, number: int, lasting: timedelta, later: timedelta) -> None:
        """A gift is taken back while its points are held: what is free again pays for it."""
        account = one_of(self.model.gifts, number).account
        if points := account.available():
            whose = self.model.accounts.index(account)
            self._hold(whose, points, self._an_order_id(number), lasting)
        self.undo(number, "admin")
        if account.reserved:
            self._move_to(max(self.model.now, account.reserved[-1].ends_at + later))

    @precondition(lambda self: self.model.holds)
    @rule(number=which, tenths=shares)
    def capture(self, number: int, tenths: int | None) -> None:
        one = one_of(self.model.holds, number)
        if tenths == 0:
            self._end(number)
        else:
            self._capture(number, None if tenths is None else max(1, one.points * tenths // 10))

    @precondition(lambda self: self.model.holds)
    @rule(number=which, tenths=shares, around=around)
    def capture_around_its_end(self, number: int, tenths: int | None, around: timedelta) -> None:
        """A moment too early, in that instant, a moment too late."""
        at = one_of(self.model.holds, number).reserved.ends_at + around
        if at > self.model.now:
            self._move_to(at)
        self.capture(number, tenths)

    @precondition(lambda self: self._rich(2))
    @rule(
        number=which,
        basket=baskets,
        share=st.integers(1, 10),
        backs=st.lists(given_back, max_size=3),
        first=st.integers(0, 2),
    )
    def pay_with_points(
        self, number: int, basket: Basket, share: int, backs: list[Back], first: int
    ) -> None:
        """An order, its hold, the capture and refunds; some refunds are faster."""
        account = one_of(self._rich(2), number)
        whose, order_id = self.model.accounts.index(account), f"order-{self.acts}"
        points = max(1, account.available() * share // 10)
        self._hold(whose, points, order_id, 900 * SECOND)
        self._record(order_id, whose, self.model.now, basket, 0)
        for place, back in enumerate([*backs, None]):
            if place == min(first, len(backs)):
                self._capture(0, None)
            if back is not None and order_id in self.model.orders:
                whole = max(1, self.model.orders[order_id].left())
                self._refund(
                    order_id, max(1, whole * back // 10) if isinstance(back, int) else back
                )

    def _hold(self, whose: int, points: int, order_id: str, lasting: timedelta) -> None:
        account, member = self.model.accounts[whose], self.verbs.members[whose]
        # No caller can ask for more at once.
        points = min(points, 10**12)
        self._both(
            lambda: self.model.hold(account, points, order_id, lasting),
            lambda: self.verbs.hold(member, points, order_id, lasting),
        )

    def _capture(self, number: int, points: int | None) -> None:
        if not self.model.holds:
            return
        one = one_of(self.model.holds, number)
        id_ = self.verbs.holds[self.model.holds.index(one)]
        self._both(
            lambda: self.model.capture(one, points),
            lambda: self.verbs.captured(id_, points),
        )

    def _end(self, number: int) -> None:
        one = one_of(self.model.holds, number)
        id_ = self.verbs.holds[self.model.holds.index(one)]
        self._both(lambda: self.model.release(one), lambda: self.verbs.released(id_))

    def _an_order_id(self, number: int) -> str:
        """One of the orders that are there, often; or one that may come."""
        known = list(self.model.orders)
        return one_of(known, number) if known and number != 5 else f"order-{self.acts}"
