"""What docs/programs.md says of facts that may come in any order: those that commute, whatever they
are, and of those that don't one example each."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import assume, given
from hypothesis import settings as Lives
from hypothesis import strategies as st

from loyalty_service.domain.earning import OrderFacts
from tests.domain.earning.documents import CAMPAIGNS, PROGRAMS, TIERED, head
from tests.domain.earning.drawn import refunds_of
from tests.domain.earning.happening import Act, acts, ago, histories, live, orders
from tests.domain.earning.life import NOON, Life, rules
from tests.domain.earning.test_histories import a_life, endings, names
from tests.domain.earning.told import PURCHASE, TIERS

# One whose points differ by tier, one by weekday: neither limits anything.
FREE = {"campaigns": CAMPAIGNS, "tiers": TIERED.replace(", entry_points: 40", "")}
GIVING = TIERS.replace("500.00", "100.00").replace("5/4}", "5/4, entry_points: 40}")
Fact = tuple[str, OrderFacts, datetime]


@pytest.mark.slow
def test_facts_of_two_members_commute(app: Flask, lives: Lives) -> None:
    @lives
    @given(names, endings, st.lists(acts, max_size=3), st.lists(acts, max_size=3))
    def proven(name: str, ending: str, mine: list[Act], theirs: list[Act]) -> None:
        # Time passes for both: it is no fact of either.
        told = [[one for one in some if one[0] != "wait"] for some in (mine, theirs)]
        assert of_two(app, name, ending, told, (0, 1)) == of_two(app, name, ending, told, (1, 0))

    proven()


def of_two(
    app: Flask, name: str, ending: str, told: list[list[Act]], turns: tuple[int, int]
) -> list[object]:
    """Where two members stand when the facts of one are told before those of the other."""
    shop = Life.under(app, PROGRAMS[name], head=head(ending))
    pair = [shop.member, shop.a_member()]
    for place in turns:
        shop.members = [pair[place]]
        live(shop, told[place], [])
    assert shop.differences() == []
    ends: list[object] = []
    for member in pair:
        shop.members = [member]
        ends += [shop.told_later(), shop.tier(), shop.uses()]
    return ends


@pytest.mark.slow
def test_a_refund_and_its_order_commute(app: Flask, lives: Lives) -> None:
    @lives
    @given(st.data(), names, endings, histories, orders, ago)
    def proven(
        data: st.DataObject,
        name: str,
        ending: str,
        before: list[Act],
        facts: OrderFacts,
        since: timedelta,
    ) -> None:
        refunds = data.draw(refunds_of(facts))
        ends = []
        for early in (refunds, [], refunds[:1]):
            shop, _ = a_life(app, name, ending, before)
            for one in early:
                shop.give_back("given-back", one)
            shop.buy(facts, order_id="given-back", placed_at=shop.now - since)
            for one in refunds[len(early) :]:
                shop.give_back("given-back", one)
            assert shop.differences() == []
            ends.append((shop.told_later(), shop.tier(), shop.uses()))
        assert ends[0] == ends[1] == ends[2]

    proven()


def test_a_refund_that_waited_takes_a_tier_as_one_that_comes_later(app: Flask) -> None:
    """It is settled with its order, and must know what that one has just counted for."""
    for early in (True, False):
        shop = Life.under(app, rules(PURCHASE, more=GIVING))
        if early:
            shop.refund("given-back", 2000)
        shop.buy(21000, order_id="given-back")
        if not early:
            shop.refund("given-back", 2000)
        assert (shop.tier(), shop.points()) == ("gold", 230)
        assert shop.differences() == []


@pytest.mark.slow
def test_two_facts_without_limits_that_reach_no_tier_commute(app: Flask, lives: Lives) -> None:
    fact = st.tuples(st.sampled_from(("order", "review")), orders, ago)

    @lives
    @given(st.sampled_from(sorted(FREE)), endings, histories, fact, fact)
    def proven(name: str, ending: str, before: list[Act], one: Fact, other: Fact) -> None:
        ends = []
        for turns in ((one, other), (other, one)):
            shop = Life.under(app, FREE[name], head=head(ending))
            live(shop, before, [])
            tier = shop.tier()
            assume(shop.balance(shop.member).debt == 0)
            # Nothing may end by inactivity between the two.
            assume(ending != "idle" or max(one[2], other[2]) < timedelta(days=40))
            for fact in turns:
                tell(shop, fact)
                assume(shop.tier() == tier)
            assert shop.differences() == []
            ends.append((shop.told_later(), shop.tier(), shop.uses()))
        assert ends[0] == ends[1]

    proven()


def tell(shop: Life, fact: Fact) -> None:
    kind, facts, since = fact
    if kind == "order":
        shop.buy(facts, placed_at=shop.now - since)
    else:
        shop.tell("review", at=shop.now - since)


LARGE, SMALL = (4000, NOON - timedelta(hours=2)), (2000, NOON - timedelta(hours=1))
DOUBLE = "campaigns:\n  - {id: two, name: Two, multiplier: 2, times: {day: 1}}\n"


def with_words(words: str) -> str:
    return rules(PURCHASE.replace("}", f", {words}}}"))


@pytest.mark.parametrize(
    ("sections", "large_first", "small_first"),
    [
        (rules(PURCHASE), (40, 20), (40, 20)),
        (with_words("caps: {day: 50}"), (40, 10), (30, 20)),
        (with_words("times: {day: 1}"), (40, 0), (0, 20)),
        (with_words("cooldown: {hours: 2}"), (40, 0), (0, 20)),
        (rules(PURCHASE, more="balance_cap: 50\n"), (40, 10), (30, 20)),
        (rules(PURCHASE, more=DOUBLE), (80, 20), (40, 40)),
        (rules(PURCHASE, more=TIERS.replace("500.00", "40.00")), (40, 25), (40, 20)),
        (with_words("carry: true").replace("1.00", "17.00"), (2, 1), (2, 1)),
        (with_words("carry: true").replace("1.00", "15.00"), (2, 2), (3, 1)),
    ],
)
def test_what_is_told_first_is_first(
    app: Flask, sections: str, large_first: tuple[int, int], small_first: tuple[int, int]
) -> None:
    shop, other = Life.under(app, sections), Life.under(app, sections)
    assert (earned(shop, LARGE), earned(shop, SMALL)) == large_first
    assert (earned(other, SMALL), earned(other, LARGE)) == small_first[::-1]


def earned(shop: Life, order: tuple[int, datetime]) -> int:
    amount_minor, placed_at = order
    return shop.earned(amount_minor, placed_at=placed_at)


def test_an_event_that_waits_for_a_first_order_must_be_told_before_it(app: Flask) -> None:
    visit = "{id: visit, on: visit, points: 5, first_order: {minimum: 10.00}}"
    sections = rules(visit, more="events:\n  visit: {}\n")
    shop, other = Life.under(app, sections), Life.under(app, sections)
    shop.tell("visit", at=LARGE[1])
    earned(shop, SMALL)
    earned(other, SMALL)
    other.tell("visit", at=LARGE[1])
    assert (shop.points(), other.points()) == (5, 0)
    # It waits for the next one.
    earned(other, SMALL)
    assert other.points() == 5


def test_which_points_pay_a_debt_depends_on_what_is_told_first(app: Flask) -> None:
    old, new = (5000, NOON - timedelta(days=30)), (5000, NOON)
    later = NOON + timedelta(days=40)
    for turns, left in (((old, new), 50), ((new, old), 20)):
        shop = Life.under(app, rules(PURCHASE), head=head("days"))
        order = shop.buy(3000)["id"]
        shop.give(shop.member, -30, "admin")
        shop.cancel(order)
        for fact in turns:
            earned(shop, fact)
        assert (shop.points(), shop.balance(shop.member, later).available) == (70, left)


def test_what_is_told_in_time_keeps_points_alive_that_the_other_would_not_have(app: Flask) -> None:
    old, new = (5000, NOON + timedelta(days=5)), (5000, NOON + timedelta(days=34))
    for (first, second), left in (((old, new), 50), ((new, old), 130)):
        shop = Life.under(app, rules(PURCHASE), head=head("idle"))
        shop.buy(3000)
        shop.wait(days=35)
        earned(shop, first)
        shop.wait(days=20)
        earned(shop, second)
        assert shop.points() == left


@pytest.mark.slow
@pytest.mark.parametrize(("spent", "owed"), [(0, 0), (40, 40), (100, 100), (120, 100), (140, 100)])
@pytest.mark.parametrize("parts", [[10000], [100, 9900], [9900, 100], [5000, 5000]])
def test_a_refund_in_parts_takes_a_tiers_points_back_as_one_does(
    app: Flask, spent: int, owed: int, parts: list[int]
) -> None:
    """What the tier gave goes first: else the refund in one would be paid with it."""
    assert refunded(app, 10000, spent, parts) == (0, owed, "member")


def refunded(
    app: Flask, amount_minor: int, spent: int, parts: list[int]
) -> tuple[int, int, str | None]:
    """What is there and what is owed after an order that reached a tier is given back."""
    shop = Life.under(app, rules(PURCHASE, more=GIVING))
    order = shop.buy(amount_minor)["id"]
    if spent:
        shop.give(shop.member, -spent, "admin")
    for part in parts:
        shop.refund(order, part)
    balance = shop.balance(shop.member)
    return balance.available, balance.debt, balance.tier
