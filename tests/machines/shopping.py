"""What the machine does in a shop: orders, and all that becomes of them; visits."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machines.buying import Back, Basket
from tests.machines.drawing import baskets, discounts, given_back, placed_ago, which, who
from tests.machines.model import Model
from tests.machines.verbs import Verbs


class Shopping:
    """The rules of the machine that are about orders and events."""

    acts: int
    model: Model
    verbs: Verbs
    _both: Callable[..., None]

    @rule(whose=who, ago=placed_ago, basket=baskets, off=discounts)
    def order(self, whose: int, ago: timedelta, basket: Basket, off: int) -> None:
        self._record(f"order-{self.acts}", whose, self.model.now - ago, basket, off)

    @precondition(lambda self: self.model.orders)
    @rule(number=which, more=st.sampled_from((0, 0, 1)))
    def the_same_order_again(self, number: int, more: int) -> None:
        order_id = one_of(list(self.model.orders), number)
        account, placed_at, (count, unit, soap), off = self.model.orders[order_id].told
        basket = count, unit + more, soap
        self._record(order_id, self.model.accounts.index(account), placed_at, basket, off)

    @precondition(lambda self: self.model.orders)
    @rule(number=which, back=given_back)
    def refund(self, number: int, back: Back) -> None:
        """Some tenths of what is left of the money (more than it, even), or items."""
        order_id = one_of(list(self.model.orders), number)
        if isinstance(back, int):
            back = max(1, self.model.orders[order_id].left() * back // 10)
        self._refund(order_id, back)

    @rule(
        whose=who,
        ago=placed_ago,
        basket=baskets,
        off=discounts,
        backs=st.lists(st.integers(1, 3000) | given_back, min_size=1, max_size=2),
    )
    def refunds_before_their_order(
        self, whose: int, ago: timedelta, basket: Basket, off: int, backs: list[Back]
    ) -> None:
        order_id = f"order-{self.acts}"
        for back in backs:
            self._refund(order_id, back)
        self._record(order_id, whose, self.model.now - ago, basket, off)

    @precondition(lambda self: self.model.orders)
    @rule(number=which, basket=baskets, off=discounts)
    def amend(self, number: int, basket: Basket, off: int) -> None:
        order_id = one_of(list(self.model.orders), number)
        self._both(
            lambda: self.model.amend(order_id, basket, off),
            lambda: self.verbs.amended(order_id, basket, off),
        )

    @precondition(lambda self: self.model.orders)
    @rule(number=which)
    def cancel(self, number: int) -> None:
        order_id = one_of(list(self.model.orders), number)
        self._both(lambda: self.model.cancel(order_id), lambda: self.verbs.cancelled(order_id))

    @rule(whose=who, ago=placed_ago)
    def visit(self, whose: int, ago: timedelta) -> None:
        account, member, at = (
            self.model.accounts[whose],
            self.verbs.members[whose],
            self.model.now - ago,
        )
        event_id = f"visit-{self.acts}"
        self._both(
            lambda: self.model.visit(account, at),
            lambda: self.verbs.visit(event_id, member, at),
        )

    def _refund(self, order_id: str, back: Back) -> None:
        refund_id = f"refund-{self.acts:04}"
        self._both(
            lambda: self.model.refund(order_id, back),
            lambda: self.verbs.refund_of(refund_id, order_id, back),
        )

    def _record(self, order_id: str, whose: int, placed_at: Any, basket: Basket, off: int) -> None:
        account, member = self.model.accounts[whose], self.verbs.members[whose]
        self._both(
            lambda: self.model.record(order_id, account, placed_at, basket, off),
            lambda: self.verbs.record(order_id, member, placed_at, basket, off),
        )


def one_of(things: Sequence[Any], number: int) -> Any:
    """One of some things; the newest for 0."""
    return things[-1 - number % len(things)]
