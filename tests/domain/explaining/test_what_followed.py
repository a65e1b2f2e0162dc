"""Refunds, tiers, gifts, codes and time, read aloud as the customer sees it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loyalty_service.domain.explaining.facts import Fact
from loyalty_service.domain.ledger import ADJUSTED, Move, available
from tests.domain.explaining.telling import (
    a_fact,
    aloud,
    back,
    dated,
    given,
    gone,
    matured,
    owed,
    repaid,
    spent,
    taken,
)

REWARD = {"reward_name": "Money off your order"}
GIVEN = Move(ADJUSTED, available("lot"), 50)
TAKEN = Move(available("lot"), ADJUSTED, 50)


def a_change(cause: str, before: int, after: int, *moves: Move, **more: Any) -> Fact:
    """What an order is due, before and after a refund, an amendment or its cancellation."""
    kind = "earn" if after > before else "claw_back"
    due = {"order": "1001", "due_before": before, "due_after": after}
    return a_fact(kind, cause, *moves, **due, **more)


def a_tier(cause: str, before: str | None, after: str | None) -> Fact:
    return a_fact("tier_change", cause, **{"from": before, "to": after})


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        pytest.param(
            a_change("refund", 125, 62, taken(53), owed(10), owed=10, short=0),
            "Refund of order 1001: it is worth 62 points now instead of 125; "
            "63 points taken back, 10 of them are owed because they were spent.",
            "Erstattung zu Bestellung 1001: sie bringt jetzt 62 Punkte statt 125; "
            "63 Punkte zurückgenommen, 10 davon sind noch offen, weil sie schon ausgegeben waren.",
            id="refund_some_owed",
        ),
        pytest.param(
            a_change("refund", 2, 1, owed(1), owed=1, short=0),
            "Refund of order 1001: it is worth 1 point now instead of 2; "
            "1 point taken back, it is owed because it was spent.",
            "Erstattung zu Bestellung 1001: sie bringt jetzt 1 Punkt statt 2; "
            "1 Punkt zurückgenommen, er ist noch offen, weil er schon ausgegeben war.",
            id="refund_all_owed",
        ),
        pytest.param(
            a_change("refund", 1250, 0, taken(1200), owed=0, short=50),
            "Refund of order 1001: it is worth 0 points now instead of 1,250; "
            "1,200 points taken back; 50 points had been spent already and stay yours.",
            "Erstattung zu Bestellung 1001: sie bringt jetzt 0 Punkte statt 1.250; "
            "1.200 Punkte zurückgenommen; 50 Punkte waren schon ausgegeben und bleiben dir.",
            id="refund_some_stay",
        ),
        pytest.param(
            a_change("refund", 125, 62, taken(62), owed=0, short=0),
            "Refund of order 1001: it is worth 62 points now instead of 125; "
            "62 points taken back; 1 point had expired already.",
            "Erstattung zu Bestellung 1001: sie bringt jetzt 62 Punkte statt 125; "
            "62 Punkte zurückgenommen; 1 Punkt war schon verfallen.",
            id="refund_some_expired",
        ),
        pytest.param(
            a_change("refund", 62, 62, owed=0, short=0),
            "Refund of order 1001: it is worth 62 points as before.",
            "Erstattung zu Bestellung 1001: sie bringt wie bisher 62 Punkte.",
            id="refund_changes_nothing",
        ),
        pytest.param(
            a_fact("claw_back", "refund", order="1001", refund="r"),
            "Refund of order 1001; it has earned no points yet.",
            "Erstattung zu Bestellung 1001; Punkte hat sie noch keine gebracht.",
            id="refund_before_it_earned",
        ),
        pytest.param(
            dated(a_change("amendment", 100, 150, given(50))),
            "Order 1001 was changed: it is worth 150 points now instead of 100; "
            "50 points more, available at once, good until at least 31 March 2031.",
            "Bestellung 1001 wurde geändert: sie bringt jetzt 150 Punkte statt 100; "
            "50 Punkte dazu, sofort verfügbar, gültig mindestens bis 31. März 2031.",
            id="amended_up",
        ),
        pytest.param(
            a_change("amendment", 100, 80, taken(20), owed=0, short=0),
            "Order 1001 was changed: it is worth 80 points now instead of 100; "
            "20 points taken back.",
            "Bestellung 1001 wurde geändert: sie bringt jetzt 80 Punkte statt 100; "
            "20 Punkte zurückgenommen.",
            id="amended_down",
        ),
        pytest.param(
            a_change("cancellation", 100, 0, taken(100), owed=0, short=0),
            "Order 1001 was cancelled: it is worth 0 points now instead of 100; "
            "100 points taken back.",
            "Bestellung 1001 wurde storniert: sie bringt jetzt 0 Punkte statt 100; "
            "100 Punkte zurückgenommen.",
            id="cancelled",
        ),
        pytest.param(
            a_fact("claw_back", "cancellation", order="1001"),
            "Order 1001 was cancelled; it has earned no points yet.",
            "Bestellung 1001 wurde storniert; Punkte hat sie noch keine gebracht.",
            id="cancelled_before_it_earned",
        ),
    ],
)
def test_what_becomes_of_an_orders_points(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        (
            a_tier("order", "member", "platinum"),
            "You reached Platinum.",
            "Du hast Platinum erreicht.",
        ),
        (
            a_tier("time", "platinum", "member"),
            "Your time as Platinum ended; you are Member now.",
            "Deine Zeit als Platinum ist vorbei; du bist jetzt Member.",
        ),
        (
            a_tier("time", "platinum", None),
            "Your time as Platinum ended.",
            "Deine Zeit als Platinum ist vorbei.",
        ),
        (
            a_tier("refund", "platinum", "member"),
            "You are Member now instead of Platinum, because an order was refunded.",
            "Du bist jetzt Member statt Platinum, weil eine Bestellung erstattet wurde.",
        ),
        (
            a_tier("cancellation", "platinum", "member"),
            "You are Member now instead of Platinum, because an order was cancelled.",
            "Du bist jetzt Member statt Platinum, weil eine Bestellung storniert wurde.",
        ),
        (
            a_tier("amendment", "platinum", "member"),
            "You are Member now instead of Platinum, because an order was changed.",
            "Du bist jetzt Member statt Platinum, weil eine Bestellung geändert wurde.",
        ),
        (
            a_tier("reversal", "platinum", "member"),
            "You are Member now instead of Platinum, because points were taken back.",
            "Du bist jetzt Member statt Platinum, weil Punkte zurückgenommen wurden.",
        ),
        (
            a_tier("order", "old_gold", "member"),
            "You reached Member.",
            "Du hast Member erreicht.",
        ),
        (
            a_tier("order", "platinum", "old_gold"),
            "You are old gold now instead of Platinum.",
            "Du bist jetzt old gold statt Platinum.",
        ),
        (a_tier("order", None, "member"), "You are Member now.", "Du bist jetzt Member."),
        (a_tier("order", None, None), "There are no tiers any more.", "Es gibt keine Stufen mehr."),
        (
            dated(a_fact("earn", "tier_entry", given(100), tier="platinum")),
            "100 points for reaching Platinum; good until at least 31 March 2031.",
            "100 Punkte, weil du Platinum erreicht hast; gültig mindestens bis 31. März 2031.",
        ),
        (
            replace(a_fact("earn", "tier_entry", given(40), tier="platinum"), is_again=True),
            "40 points for reaching Platinum again.",
            "40 Punkte, weil du Platinum wieder erreicht hast.",
        ),
        (
            a_fact("claw_back", "tier_entry_withdrawn", taken(60), tier="platinum"),
            "60 points for reaching Platinum taken back with the tier.",
            "60 Punkte für Platinum mit der Stufe zurückgenommen.",
        ),
    ],
)
def test_what_becomes_of_a_tier(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        (
            dated(a_fact("credit", "adjustment", GIVEN, reason="late_delivery")),
            "50 points given by our staff: late delivery; good until at least 31 March 2031.",
            "50 Punkte von unserem Team: verspätete Lieferung; "
            "gültig mindestens bis 31. März 2031.",
        ),
        (
            a_fact("credit", "adjustment", GIVEN, reason="moving_house"),
            "50 points given by our staff: moving house.",
            "50 Punkte von unserem Team: moving house.",
        ),
        (
            a_fact("debit", "adjustment", TAKEN, reason="correction"),
            "50 points taken by our staff: correction.",
            "50 Punkte von unserem Team abgezogen: Korrektur.",
        ),
        (
            a_fact("reversal", "reversal", replace(TAKEN, points=1), reason="correction", short=0),
            "1 point that our staff gave you was taken back: correction.",
            "1 Punkt von unserem Team wurde zurückgenommen: Korrektur.",
        ),
        (
            a_fact("reversal", "reversal", TAKEN, reason="correction", short=7),
            "50 points that our staff gave you were taken back: correction; "
            "7 points had been spent already and stay yours.",
            "50 Punkte von unserem Team wurden zurückgenommen: Korrektur; "
            "7 Punkte waren schon ausgegeben und bleiben dir.",
        ),
        (
            a_fact("reversal", "reversal", taken(40), owed(10), reason="correction", short=0),
            "50 points that you had earned were taken back: correction; "
            "10 of them are owed because they were spent.",
            "50 Punkte, die du gesammelt hattest, wurden zurückgenommen: Korrektur; "
            "10 davon sind noch offen, weil sie schon ausgegeben waren.",
        ),
        (
            a_fact("reversal", "reversal", GIVEN, reason="correction", short=0),
            "50 points that our staff took were given back: correction.",
            "50 Punkte, die unser Team abgezogen hatte, sind wieder da: Korrektur.",
        ),
        (
            a_fact("reversal", "reversal", reason="correction", short=1),
            "An earlier change was undone: correction; "
            "1 point had been spent already and stays yours.",
            "Eine frühere Änderung wurde zurückgenommen: Korrektur; "
            "1 Punkt war schon ausgegeben und bleibt dir.",
        ),
    ],
)
def test_what_our_staff_did(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        (
            a_fact("redemption", "redemption", spent(100), **REWARD),
            "100 points exchanged for Money off your order.",
            "100 Punkte eingelöst: Money off your order.",
        ),
        (
            dated(a_fact("restoration", "cancelled", back(100), **REWARD)),
            "100 points given back: Money off your order was cancelled; "
            "good until at least 31 March 2031.",
            "100 Punkte zurückgegeben: Money off your order wurde storniert; "
            "gültig mindestens bis 31. März 2031.",
        ),
        (
            a_fact("restoration", "failed", back(100), **REWARD),
            "100 points given back: Money off your order could not be issued.",
            "100 Punkte zurückgegeben: Money off your order konnte nicht ausgestellt werden.",
        ),
        (
            a_fact("redemption", "redemption", reward_name="Birthday gift"),
            "Birthday gift, for no points.",
            "Birthday gift, ohne Punkte.",
        ),
        (
            a_fact("restoration", "cancelled", reward_name="Birthday gift"),
            "Birthday gift was cancelled.",
            "Birthday gift wurde storniert.",
        ),
        (
            a_fact("restoration", "failed", reward_name="Birthday gift"),
            "Birthday gift could not be issued.",
            "Birthday gift konnte nicht ausgestellt werden.",
        ),
        (
            a_fact("maturity", "time", matured(42)),
            "42 points became available.",
            "42 Punkte sind jetzt verfügbar.",
        ),
        (
            a_fact("expiry", "time", gone(1)),
            "1 point expired unused.",
            "1 Punkt ist ungenutzt verfallen.",
        ),
        (
            a_fact("repayment", "debt", repaid(10)),
            "10 points repaid points that were owed.",
            "Mit 10 Punkten wurden offene Punkte beglichen.",
        ),
        (a_fact("merge"), "Your points changed.", "Deine Punkte haben sich geändert."),
    ],
)
def test_what_was_spent_and_what_time_did(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


def test_points_that_come_back_past_their_day_are_not_said_to_last() -> None:
    fact = dated(a_fact("restoration", "cancelled", back(9), **REWARD), ends=date(2029, 12, 31))
    assert aloud(fact)[0] == "9 points given back: Money off your order was cancelled."
