"""Whatever happened before: quotes come true, the same facts give the same books, and refunds end
where they must. Through the domain's verbs, on both databases; the books are verified each time."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as Lives
from hypothesis import strategies as st

from loyalty_service.domain.earning import OrderFacts, RefundFacts
from tests.domain.earning.documents import PROGRAMS, head
from tests.domain.earning.drawn import refunds_of
from tests.domain.earning.happening import Act, ago, histories, live, orders
from tests.domain.earning.life import Life

names = st.sampled_from(sorted(PROGRAMS))
endings = st.sampled_from(("never", "never", "idle", "days"))


def a_life(app: Flask, name: str, ending: str, history: list[Act]) -> tuple[Life, list[str]]:
    shop = Life.under(app, PROGRAMS[name], head=head(ending))
    bought: list[str] = []
    live(shop, history, bought)
    return shop, bought


def test_a_quote_is_what_the_order_earns(app: Flask, lives: Lives) -> None:
    @lives
    @given(names, endings, histories, orders, ago, st.booleans())
    def proven(
        name: str, ending: str, history: list[Act], facts: OrderFacts, since: timedelta, now: bool
    ) -> None:
        shop, _ = a_life(app, name, ending, history)
        placed_at = None if now else shop.now - since
        told = shop.quote(facts, placed_at=placed_at)
        made = shop.buy(facts, placed_at=placed_at, quoted=told)
        assert (told.points, told.available_at) == (made["points_earned"], made["available_at"])
        assert shop.differences() == []

    proven()


def test_the_same_facts_in_the_same_order_give_the_same_postings(app: Flask, lives: Lives) -> None:
    @lives
    @given(names, endings, histories)
    def proven(name: str, ending: str, history: list[Act]) -> None:
        one, other = (a_life(app, name, ending, history)[0] for _ in range(2))
        assert one.history() == other.history()
        assert one.told_later() == other.told_later()
        assert one.uses() == other.uses()

    proven()


@pytest.mark.slow
def test_refunds_of_an_order_end_in_the_same_place_whatever_their_order(
    app: Flask, lives: Lives
) -> None:
    @lives
    @given(st.data(), names, endings, histories, orders, histories)
    def proven(
        data: st.DataObject,
        name: str,
        ending: str,
        before: list[Act],
        facts: OrderFacts,
        after: list[Act],
    ) -> None:
        refunds = data.draw(refunds_of(facts))
        otherwise = data.draw(st.permutations(refunds))
        ends = [
            refunded(app, name, ending, before, facts, after, way) for way in (refunds, otherwise)
        ]
        assert ends[0] == ends[1]

    proven()


def test_a_quote_knows_a_tier_that_was_held_between_two_falls(app: Flask) -> None:
    """Time took two steps that nobody has written down; the order was placed between them."""
    shop = Life.under(app, PROGRAMS["tiers"], head=head("never"))
    shop.buy(10000)
    shop.wait(days=40)
    silver_at = shop.now
    shop.wait(days=55)
    assert (shop.balance(shop.member, silver_at).tier, shop.tier()) == ("silver", "member")
    told = shop.quote(10000, placed_at=silver_at)
    assert told.points == shop.earned(10000, placed_at=silver_at, quoted=told) == 120


def refunded(
    app: Flask,
    name: str,
    ending: str,
    before: list[Act],
    facts: OrderFacts,
    after: list[Act],
    refunds: list[RefundFacts],
) -> tuple[object, ...]:
    """Where a member stands who bought something among other things, and gave it back in parts."""
    shop, bought = a_life(app, name, ending, before)
    shop.buy(facts, order_id="given-back")
    live(shop, after, bought)
    for one in refunds:
        shop.give_back("given-back", one)
    assert shop.differences() == []
    return *shop.told_later(), shop.tier(), shop.uses()
