"""Which rules are in force when, of one program and of all."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from loyalty_service import clock, db
from loyalty_service.domain import program
from loyalty_service.domain.program.versions import ProgramRow
from tests.domain.program.documents import changed
from tests.shop import DEFAULT_PROGRAM, Shop

SOONER = changed(("pending_days: 14", "pending_days: 7"), document=DEFAULT_PROGRAM)
SECOND = changed(("id: default", "id: second"), document=DEFAULT_PROGRAM)


@pytest.mark.parametrize(("days_after", "pending_days"), [(1, 7), (-5, 14), (-20, 14)])
def test_of_all_programs_the_rules_in_force_at_the_moment_are_known(
    app: Flask, days_after: int, pending_days: int
) -> None:
    shop = Shop.open(app)
    shop.apply(SECOND)
    shop.advance(days=10)
    shop.apply(SOONER)
    shop.advance(days=days_after)
    found = dict(in_force(app))
    assert {name: rules.earning[0].pending_days for name, rules in found.items()} == {
        "default": pending_days,
        "second": 14,
    }


def test_a_program_without_rules_is_none_of_them(app: Flask) -> None:
    Shop.open(app)

    def begin(session: Any) -> None:
        session.execute(insert(ProgramRow).values(program_id="bare", created_at=clock.now()))

    with app.app_context():
        db.transaction(begin)
    assert [name for name, _ in in_force(app)] == ["default"]


def in_force(app: Flask) -> list[tuple[str, program.Program]]:
    with app.app_context():
        return db.read(program.all_in_force)
