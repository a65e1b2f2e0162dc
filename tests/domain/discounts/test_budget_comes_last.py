"""Counters are what all members share: they are taken last, and in one order for everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from loyalty_service.db import database
from loyalty_service.domain.discounts import budgets
from tests.domain.discounts.offers import BY_HAND, with_only
from tests.domain.discounts.test_at_once import made
from tests.domain.discounts.test_due_by_the_clock import given, in_june, looked, looks
from tests.shop import Shop

TWO_ON_A_DAY = """\
  - id: zebra
    name: A present
    trigger: birthday
    type: custom
    gives: a cake
    budget: {month_count: 1}
  - id: ant
    name: Another present
    trigger: birthday
    type: amount_off
    amount_off: 5.00
    budget: {month: 20.00, month_count: 1}
"""


@pytest.fixture
def kind() -> str:
    """What is written in which order is the same on both."""
    return "sqlite"


def test_what_staff_give_is_written_before_its_budget_is_taken(app: Flask) -> None:
    shop = Shop.open(app, with_only(BY_HAND))
    member = shop.a_member()
    with writes(shop) as seen:
        made(shop, member, "seven")
    assert [table for table, _ in seen] == ["discounts", "jobs", "counters", "counters"]


def test_offers_of_one_day_take_their_budgets_last_and_by_name(app: Flask) -> None:
    shop = in_june(Shop.open(app, with_only(TWO_ON_A_DAY)))
    member = shop.a_member(birthday=f"{shop.now().replace(year=1990):%Y-%m-%d}")
    with writes(shop) as seen:
        looked(shop)
    tables = list(dict.fromkeys(table for table, _ in seen if table != "accounts"))
    assert tables == ["discounts", "jobs", "counters"]
    taken = list(dict.fromkeys(name[:14] for table, name in seen if table == "counters"))
    assert [name.split(":")[1] for name in taken] == ["ant", "zebra"]
    assert [one["offer"] for one in given(shop, member)] == ["ant", "zebra"]


def test_a_budget_that_ends_between_the_look_and_the_gift_is_noted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = in_june(Shop.open(app, with_only(TWO_ON_A_DAY)))
    members = [
        shop.a_member(birthday=f"{shop.now().replace(year=1990):%Y-%m-%d}") for _ in range(2)
    ]
    refused, asked = budgets.refused, []

    def one_look_too_early(*about: Any) -> Any:
        asked.append(about)
        # The second member's first look still finds all there is.
        return None if len(asked) in (3, 4) else refused(*about)

    monkeypatch.setattr(budgets, "refused", one_look_too_early)
    looks(shop, days=0)
    assert len(asked) == 6
    seen = [{one["status"] for one in given(shop, member, who="agent")} for member in members]
    assert {"withheld"} in seen


@contextmanager
def writes(shop: Shop) -> Iterator[list[tuple[str, str]]]:
    """Each table that is written to in the block; of a counter its name, too."""
    seen: list[tuple[str, str]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        words = statement.removeprefix("INSERT INTO ").removeprefix("UPDATE ").split()
        table = words[0]
        names = [str(one) for one in parameters if str(one).startswith("offer:")]
        if table in ("discounts", "jobs", "counters", "accounts"):
            seen.append((table, next(iter(names), "")))

    with shop.app.app_context():
        engine = database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
