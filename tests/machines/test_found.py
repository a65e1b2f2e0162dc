"""What the machine found, in the fewest steps that show it."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.machines.ledger_machine import LedgerMachine
from tests.machines.programs import Rules, Shape

REISSUE = Rules("allow_debt", "reissue", pending_days=0, expiry="{after: {days: 10}}")


WAITING = Rules("allow_debt", "reissue", pending_days=3, expiry="{after: {days: 10}}")


@pytest.fixture
def machine(app: Flask) -> LedgerMachine:
    """At each step the service and the model are compared."""
    made = LedgerMachine(app)
    made.open("Europe/Berlin", datetime(2026, 3, 20, 9, 30, tzinfo=UTC), REISSUE)
    return made


def test_points_reissued_are_younger_than_a_gift_of_the_same_day(machine: LedgerMachine) -> None:
    machine.give(0, 20, "admin")
    machine.redeem(0, ("slice", 20))
    machine.wait(timedelta(days=12))
    machine.give(0, 10, "admin")
    machine.the_code(0, "failed")
    # Both end on one day: the gift is older now, and goes first.
    machine.give(0, -10, "admin")
    machine.wait(timedelta(days=12))
    machine.undo(1, "admin")
    assert machine.model.accounts[0].debt == 10
    machine.teardown()


@pytest.mark.parametrize("rules", [REISSUE, WAITING], ids=["at once", "after waiting"])
def test_an_order_told_after_its_points_ended_pays_no_debt(
    machine: LedgerMachine, rules: Rules
) -> None:
    machine.a_new_version(rules)
    machine.wait(timedelta(days=20))
    machine.give(0, 5, "admin")
    machine.give(0, -5, "admin")
    machine.undo(1, "admin")
    machine.order(0, timedelta(days=15), (1, 900, 0), 0)
    assert machine.model.accounts[0].debt == 5
    machine.teardown()


def test_orders_told_late_reach_a_tier_before_the_one_that_was_told_first(app: Flask) -> None:
    machine = LedgerMachine(app)
    machine.open("Europe/Berlin", datetime(2026, 3, 20, 9, tzinfo=UTC), REISSUE, Shape("", True))
    machine.order(0, timedelta(0), (1, 999, 0), 0)
    machine.order(0, timedelta(hours=1), (1, 733, 0), 0)
    machine.order(0, timedelta(hours=1), (1, 69, 0), 0)
    assert machine.model.accounts[0].lifetime == 9 + 7 + 1
    machine.teardown()
