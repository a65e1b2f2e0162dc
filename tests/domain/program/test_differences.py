"""What `loyalty program diff` says: every change, in the words of the document."""

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

import pytest

from loyalty_service.domain.program.differences import Change, changes
from loyalty_service.domain.program.document import Program
from tests.domain.program.documents import SMALL, a_program, everything

GOLD = "{id: gold, name: Gold, from: 500.00, multiplier: 1.25, expiry: never, entry_points: 100}"
BRUSH = (
    "  - {id: brush, on: order, points: 5, per: item, items: {skus: [brush]}, pending_days: 14}\n"
)
SHIP = (
    "  - {id: ship, name: Free delivery, type: free_shipping, points: 50,"
    " eligible: {birthday: 7}}\n"
)
EXPIRY = "expiry:\n  after: {months: 12}\n"
WITHOUT_EFFECT = {
    # no points, however they are written
    ".earning[2].points_denominator",
    # no limit to a member's number
    *(f".rewards[{index}].per_member_span" for index in (0, 1, 3, 5)),
    # what no document can say: a fiscal year that is a calendar year, an expiry beside never
    ".tiers.window.kind",
    ".tiers.levels[2].expiry_never",
    # a trigger beside what only another has
    *(f".thank_you[{index}].trigger.kind" for index in (1, 2, 3, 5)),
}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (GOLD, GOLD.replace("1.25", "1.5"), "tiers.gold.multiplier: 1.25 -> 1.5"),
        (GOLD, GOLD.replace("500.00", "600.00"), "tiers.gold.from: 500.00 -> 600.00"),
        ("balance_cap: 20000\n", "", "balance_cap: 20000 -> none"),
        ("day: 200", "day: 250", "earning.purchase.caps.day: 200 -> 250"),
        (
            "cooldown: {minutes: 30}",
            "cooldown: {hours: 1}",
            "cooldown: {minutes: 30} -> {hours: 1}",
        ),
        ("from: 2026-01-01\n    until: 2026-12-31\n    weekdays: [sat", "weekdays: [sat", "from"),
        ("points: 100, amount_off: 3.00", "points: 100, amount_off: 3.50", "slabs.100: 3.00 ->"),
        ("{gold: 3, member: 3/2}", "{gold: 3, member: 2}", "weekend.multiplier.member: 1.5 -> 2"),
        ("birthday: {gold: 7, reserve", "birthday: {gold: 8, reserve", "gold: 7 days -> 8 days"),
        ("{fiscal_year_from: march}", "{fiscal_year_from: may}", "fiscal_year_from: march -> may"),
        ("{fiscal_year_from: march}", "calendar_year", "{fiscal_year_from: march} -> calendar_"),
        ("{score: integer,", "{score: string,", "events.survey.score: integer -> string"),
    ],
)
def test_a_change_is_told_by_its_path(old: str, new: str, said: str) -> None:
    told = [str(change) for change in changes(everything(), everything((old, new)))]

    assert said in told[0]


def test_equal_programs_have_no_differences() -> None:
    assert changes(everything(), everything()) == []
    spelt_out = a_program(("currency: eur\n", "currency: eur\nlate_days: 30\nstacking: best\n"))
    assert changes(a_program(), spelt_out) == []


def test_an_entry_that_is_new_or_gone_is_told_in_a_word() -> None:
    without = everything((BRUSH, ""), (SHIP, ""))

    assert changes(without, everything()) == [
        Change("earning.brush", None, ""),
        Change("rewards.ship", None, ""),
    ]
    assert [str(change) for change in changes(without, everything())] == [
        "earning.brush added",
        "rewards.ship added",
    ]
    assert str(changes(everything(), without)[0]) == "earning.brush removed"


def test_an_expiry_that_begins_is_told_on_one_line() -> None:
    never = a_program((EXPIRY, "expiry: never\n"))

    (change,) = changes(never, a_program())

    assert str(change) == "expiry: never -> {after: {months: 12}}"


def test_a_tier_that_is_called_like_a_key_is_told_apart() -> None:
    old = everything(("id: reserve", "id: window"), ("reserve: 30", "window: 30"))
    new = everything(
        ("id: reserve", "id: window"), ("reserve: 30", "window: 30"), ("name: Reserve", "name: R")
    )

    assert [str(change) for change in changes(old, new)] == [
        "tiers.levels.window.name: Reserve -> R"
    ]


def test_no_field_of_a_program_changes_unseen() -> None:
    program = everything()
    unseen = {path for path, other in altered(program) if not changes(program, other)}

    assert unseen == WITHOUT_EFFECT


def test_two_programs_are_compared_as_wholes() -> None:
    told = [str(change) for change in changes(a_program(), everything())]

    assert told[0] == "id: shop -> everything"
    assert "tiers.gold added" in told and "campaigns.weekend added" in told
    assert SMALL and len(told) == len(set(told))


def altered(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The value again and again, each time with another leaf changed, and the leaf's path."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            for where, other in altered(inner, f"{path}.{field.name}"):
                yield where, dataclasses.replace(value, **{field.name: other})  # type: ignore[type-var]
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            for where, other in altered(inner, f"{path}[{index}]"):
                yield where, (*value[:index], other, *value[index + 1 :])
    elif value is not None:
        yield path, another(value)


def another(value: Any) -> Any:
    """A different value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, StrEnum):
        return next(word for word in type(value) if word is not value)
    if isinstance(value, date):
        return value + timedelta(days=1)
    if value == "eur":
        return "usd"
    return value + 1 if isinstance(value, int | Fraction) else f"{value}x"


def test_every_leaf_is_altered() -> None:
    assert len({path for path, _ in altered(everything())}) > 200
    assert isinstance(next(altered(everything()))[1], Program)
