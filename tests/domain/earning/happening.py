"""What may happen to a member, drawn: some facts in some order, lived through the verbs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.errors import LoyaltyError
from tests.domain.earning.life import Life

Act = tuple[Any, ...]

SKUS = ("cream", "soap")
lines = st.builds(
    Line,
    st.sampled_from(SKUS),
    st.none(),
    st.integers(1, 3),
    st.integers(0, 4000) | st.sampled_from((99, 100, 5000, 12000)),
)
orders = st.builds(
    OrderFacts,
    st.just("eur"),
    st.lists(lines, min_size=1, max_size=3).map(tuple),
    st.sampled_from((0, 0, 333, 10**6)),
    st.sampled_from((0, 199)),
    st.sampled_from((0, 250)),
)
ago = st.sampled_from((0, 0, 0, 3, 24, 24 * 9, 24 * 70)).map(lambda hours: timedelta(hours=hours))
waits = st.sampled_from((0, 1, 6, 24, 24 * 8, 24 * 33, 24 * 61)).map(
    lambda hours: timedelta(hours=hours)
)
which = st.integers(0, 5)
acts = st.one_of(
    st.tuples(st.just("buy"), orders, ago),
    st.tuples(st.just("buy"), orders, ago),
    st.tuples(st.just("amount"), which, st.integers(1, 9)),
    st.tuples(st.just("items"), which, st.sampled_from(SKUS)),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("discount"), which, st.integers(0, 3000)),
    st.tuples(st.just("review"), ago),
    st.tuples(st.just("spend"), st.integers(1, 9)),
    st.tuples(st.just("wait"), waits),
)
histories = st.lists(acts, max_size=8)


def live(shop: Life, history: list[Act], bought: list[str]) -> None:
    """Let everything happen; what is refused (more comes back than was there) is left out."""
    for name, *rest in history:
        try:
            _ACTS[name](shop, bought, *rest)
        except LoyaltyError:
            continue


def _buy(shop: Life, bought: list[str], facts: OrderFacts, since: timedelta) -> None:
    name = f"order-{len(bought)}-of-{shop.member}"
    shop.buy(facts, placed_at=shop.now - since, order_id=name)
    bought.append(name)


def _of_an_order(act: Callable[..., object]) -> Callable[..., None]:
    def done(shop: Life, bought: list[str], place: int, *rest: Any) -> None:
        if bought:
            act(shop, bought[-1 - place % len(bought)], *rest)

    return done


def _amount(shop: Life, order_id: str, tenths: int) -> None:
    shop.refund(order_id, max(1, tenths * 100))


def _spend(shop: Life, bought: list[str], tenths: int) -> None:
    """Some of what is there, by the hand of the admin."""
    there = shop.balance(shop.member).available
    if part := there * tenths // 9:
        shop.give(shop.member, -part, "admin")


def _wait(shop: Life, bought: list[str], by: timedelta) -> None:
    shop.now += by


_ACTS: dict[str, Callable[..., None]] = {
    "buy": _buy,
    "amount": _of_an_order(_amount),
    "items": _of_an_order(lambda shop, one, sku: shop.refund(one, None, (sku, 1))),
    "cancel": _of_an_order(lambda shop, one: shop.cancel(one)),
    "discount": _of_an_order(lambda shop, one, off: shop.amend(one, discount_minor=off)),
    "review": lambda shop, bought, since: shop.tell("review", at=shop.now - since),
    "spend": _spend,
    "wait": _wait,
}
