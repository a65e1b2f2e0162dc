"""What Hypothesis draws: programs out of what documents can say, orders, and sets of refunds."""

import functools
from itertools import accumulate

from hypothesis import strategies as st

from loyalty_service.domain import earning
from loyalty_service.domain.earning import Line, OrderFacts, Pins, RefundedTooMuch, RefundFacts
from loyalty_service.domain.program.document import Program
from tests.domain.earning.told import TIERS, a_program

SKUS = ("cream", "soap", "serum")
CATEGORIES = {"cream": "creams", "soap": None, "serum": "creams"}

RATES = [
    f"points: {points}, per: {per}, counts: {counts}, rounding: {rounding}"
    for points, per in (("1", "1.00"), ("7/3", "0.99"), ("1", "0.01"), ("1/3", "0.10"))
    for counts in ("[merchandise]", "[merchandise, tax]", "[merchandise, discounts]")
    for rounding in ("floor", "nearest", "ceiling")
]
PER_ITEM = ["points: 20, per: item", "points: 2/3, per: item, rounding: nearest"]
FIXED = ["points: 10", "points: 5/2, rounding: ceiling"]
# All of them hold for less only where they hold for more: a refund can't bring them about.
TERMS = [
    "",
    ", items: {skus: [cream]}",
    ", items: {except_skus: [cream]}",
    ", items: {categories: [creams], when: 'item.quantity > 1'}",
    ", minimum_spend: 0.20",
    ", when: 'order.subtotal >= 30 && order.item_count > 1'",
    ", caps: {once: 17}",
    ", caps: {day: 50}",
    ", times: {day: 1}",
    ", tier_multiplier: false",
    ", campaigns: false",
    ", tier_points: 3/2",
    ", tiers: [gold]",
]
CARRYING = (
    "points: 1, per: 0.10, counts: [merchandise], rounding: floor, carry: true",
    "points: 2/7, per: 0.01, counts: [merchandise], rounding: floor, carry: true",
)
CAMPAIGNS = [
    "{id: two, name: Two, multiplier: 2}",
    "{id: creams, name: Creams, multiplier: 3, items: {categories: [creams]}}",
    "{id: gold, name: Gold, multiplier: {gold: 7/3}, minimum_spend: 0.30}",
    "{id: club, name: Club, multiplier: 3/2, instead_of_tier: true}",
    "{id: often, name: Often, multiplier: 2, times: {day: 1}}",
    "{id: bonus, name: Bonus, bonus_points: 13}",
    "{id: soap, name: Soap, bonus_points: 5, items: {skus: [soap]}, times: {ever: 1}}",
]
SHIPPING = "points: 1, per: 0.50, counts: [shipping], rounding: floor"


@functools.cache
def _program(rules: tuple[str, ...], campaigns: tuple[str, ...], stacking: str) -> Program:
    ids = [
        f"{{id: rule_{place}, on: order, pending_days: 0, {one}}}"
        for place, one in enumerate(rules)
    ]
    listed = "campaigns:\n" + "".join(f"  - {one}\n" for one in campaigns) if campaigns else ""
    return a_program(*ids, more=f"{TIERS}stacking: {stacking}\nbalance_cap: 1000\n{listed}")


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """One to three rules, with or without campaigns; none counts shipping."""
    plain = st.tuples(st.sampled_from(RATES + PER_ITEM + FIXED), st.sampled_from(TERMS))
    rule = plain.map("".join) | st.sampled_from(CARRYING)
    # What campaigns multiply must be there.
    first = draw(st.sampled_from(RATES))
    rules = (first, *draw(st.lists(rule, max_size=2)))
    campaigns = draw(st.lists(st.sampled_from(CAMPAIGNS), max_size=3, unique=True))
    return _program(rules, tuple(campaigns), draw(st.sampled_from(("best", "sum", "multiply"))))


SHARES = st.sampled_from((0, 0, 1, 7, 100, 10**6))
lines = st.builds(
    lambda sku, quantity, unit: Line(sku, CATEGORIES[sku], quantity, unit),
    st.sampled_from(SKUS),
    st.integers(1, 4),
    st.integers(0, 40) | st.sampled_from((1, 3, 999)),
)
orders = st.builds(
    OrderFacts,
    st.just("eur"),
    st.lists(lines, min_size=1, max_size=5).map(tuple),
    SHARES | st.integers(0, 60),
    st.integers(0, 50),
    st.integers(0, 50),
)
headrooms = st.none() | st.integers(0, 60)
pins = st.builds(
    lambda tier, day, stopped, carried, balance: Pins(
        tier=tier,
        headroom={} if day is None else {f"rule_{place}": day for place in range(3)},
        stopped=stopped,
        carry={f"rule_{place}": carried for place in range(3)},
        balance_headroom=balance,
    ),
    st.sampled_from(("member", "gold")),
    headrooms,
    st.sampled_from(((), (), ("rule_1",), ("two", "bonus"))),
    st.fractions(0, 1, max_denominator=7).filter(lambda carried: carried < 1),
    headrooms,
)


@st.composite
def refunds_of(draw: st.DrawFn, facts: OrderFacts) -> list[RefundFacts]:
    """Refunds by items and by amount, mixed, that an order can bear; often all of it."""
    items = draw(st.permutations([line.sku for line in facts.lines for _ in range(line.quantity)]))
    back = items[: draw(st.integers(0, len(items)) | st.just(len(items)))]
    made = [RefundFacts(items=((sku, 1),)) for sku in back]
    there = earning.left_of(facts, made).paid_minor
    cuts = draw(st.lists(st.integers(0, there), max_size=3)) + draw(st.sampled_from(([], [there])))
    marks = sorted(cuts)
    amounts = [mark - before for before, mark in zip([0, *marks], marks, strict=False)]
    made += [RefundFacts(amount_minor=amount) for amount in amounts if amount]
    return draw(st.permutations(made))


@st.composite
def orders_and_refunds(draw: st.DrawFn) -> tuple[OrderFacts, list[RefundFacts]]:
    facts = draw(orders)
    return facts, draw(refunds_of(facts))


# Whatever anybody may ask for: also more than there was.
any_refunds = st.lists(
    st.builds(RefundFacts, amount_minor=st.integers(1, 90))
    | st.builds(
        lambda sku, count: RefundFacts(items=((sku, count),)),
        st.sampled_from((*SKUS, "stranger")),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=6,
)


def is_too_much(facts: OrderFacts, refunds: list[RefundFacts]) -> bool:
    try:
        earning.left_of(facts, refunds)
    except RefundedTooMuch:
        return True
    return False


def growing(refunds: list[RefundFacts]) -> list[list[RefundFacts]]:
    """Nothing, the first, the first two, and so on."""
    return [[], *accumulate([one] for one in refunds)]
