"""What the page about programs says of tiers, campaigns, events and conditions is what happens."""

from datetime import date
from fractions import Fraction

import pytest
import yaml

from loyalty_service.domain import earning
from loyalty_service.domain.program import conditions, event_types, parsing
from loyalty_service.domain.program.document import DataType
from loyalty_service.domain.tiers import windows
from tests import pages

TIERS = ("member", "gold", "diamond")
ORDER = earning.OrderFacts("eur", (earning.Line("bun", None, 1, 10000),), 0, 0, 0)


@pytest.mark.parametrize(
    ("stacking", "together", "points"), pages.table("stacking", "together", "points")
)
def test_campaigns_stack_as_the_page_says(stacking: str, together: str, points: str) -> None:
    twice = {"id": "twice", "name": "Twice", "multiplier": 2}
    thrice = {"id": "thrice", "name": "Thrice", "multiplier": 3}
    rules = pages.program(
        tiers=pages.example("tiers"), campaigns=[twice, thrice], stacking=stacking
    )

    earned = earning.earn(rules, ORDER, earning.Pins(tier="gold"))

    assert str(earned.points) == points
    assert Fraction(125) * Fraction(together) == earned.points


@pytest.mark.parametrize(("condition", "_"), pages.table("condition", "it holds for"))
def test_a_condition_on_the_page_is_one(condition: str, _: str) -> None:
    assert conditions.compile(conditions.Kind.ORDER, condition)


def test_the_page_names_what_conditions_may_name() -> None:
    rows = pages.table("name", "type", "where")
    kinds = {name: kind for names in conditions.NAMES.values() for name, kind in names.items()}

    assert {row[0] for row in rows} == {*kinds, "event.<field>"}
    words = {DataType.INTEGER: "number", DataType.STRING: "word", DataType.BOOLEAN: "true or false"}
    for name, kind, where in rows:
        if name in kinds:
            assert kind.startswith(words[kinds[name]])
            assert ("rewards" in where) == (name in conditions.NAMES[conditions.Kind.MEMBER])
            assert ("items" in where) == (name in conditions.NAMES[conditions.Kind.ITEM])


def test_the_page_names_the_functions_of_conditions() -> None:
    *most, last = (f"`{name}`" for name in conditions.FUNCTIONS)

    assert f"{', '.join(most)} and {last}" in " ".join(pages.PROGRAMS.split())


def test_the_page_names_the_events_that_are_always_there() -> None:
    shown = {name: data for name, data, _ in pages.table("event", "data", "for what")}

    assert list(shown) == [event.name for event in event_types.BUILT_IN]
    for event in event_types.BUILT_IN:
        said = [
            f"`{name}`: {kind}" + (", may be left out" if name in event.optional else "")
            for name, kind in event.fields
        ]
        assert f"`{shown[event.name]}".lstrip("`") == (said or ["none"])[0].lstrip("`")


@pytest.mark.parametrize(
    ("window", "kept", "reached", "through"),
    pages.table("window", "kept", "reached on", "kept through"),
)
def test_tiers_are_kept_as_long_as_the_page_says(
    window: str, kept: str, reached: str, through: str
) -> None:
    section = pages.example("tiers")
    section |= {"window": yaml.safe_load(window), "kept": yaml.safe_load(kept)}
    tiers = pages.program(tiers=section).tiers
    assert tiers is not None

    last = windows.kept_through(tiers, date.fromisoformat(reached), date(2026, 1, 1))

    assert ("for ever" if last == date.max else last.isoformat()) == through


def test_a_status_year_is_kept_as_long_as_the_recipe_says() -> None:
    recipe = next(one for one in pages.FRAGMENTS if "plus_months: 1" in one)
    tiers = parsing.parse(pages.with_sections(recipe)).tiers
    assert tiers is not None

    last = windows.kept_through(tiers, date(2026, 6, 10), date(2026, 1, 1))

    assert f"{last.day} {last:%B %Y}" in pages.PROGRAMS


def test_a_flight_gives_points_that_qualify_and_points_that_do_not() -> None:
    recipe = next(one for one in pages.FRAGMENTS if "partner_purchase" in one)
    rules = parsing.parse(pages.with_sections(recipe))
    facts = {"flight": {"fare": 10000}, "partner_purchase": {"amount": 10000}, "status_gift": {}}

    earned = {
        name: earning.earn_event(rules, earning.EventFacts(name, data))
        for name, data in facts.items()
    }

    given = {name: (one.points, one.tier_credit.base_points) for name, one in earned.items()}
    assert given == {"flight": (500, 100), "partner_purchase": (50, 0), "status_gift": (0, 500)}


def test_double_points_on_weekends_are_for_gold_only() -> None:
    recipe = next(one for one in pages.FRAGMENTS if "gold_weekends" in one)
    rules = parsing.parse(pages.with_sections(recipe))
    saturday, monday = date(2026, 11, 21), date(2026, 11, 23)

    earned = [
        earning.earn(rules, ORDER, earning.Pins(tier=tier), on=day).points
        for tier in ("member", "gold")
        for day in (saturday, monday)
    ]

    assert earned == [100, 100, 250, 125]


def test_events_give_more_in_higher_tiers_by_either_recipe() -> None:
    by_tier, by_campaign = (
        parsing.parse(pages.with_sections(one))
        for one in pages.FRAGMENTS
        if "tier_multiplier: true" in one or "events_by_tier" in one
    )
    facts = earning.EventFacts("review", {"stars": 5})

    given = [
        [earning.earn_event(rules, facts, earning.Pins(tier=tier)).points for tier in TIERS]
        for rules in (by_tier, by_campaign)
    ]

    assert given == [[20, 25, 30], [20, 40, 60]]
