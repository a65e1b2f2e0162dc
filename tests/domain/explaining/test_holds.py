"""Points reserved for an order, in both languages: one sentence each."""

import pytest

from loyalty_service.domain.explaining.facts import Fact
from loyalty_service.domain.ledger import REDEEMED, Move, available, held
from tests.domain.explaining.telling import a_fact, aloud, back, dated
from tests.shop import Shop


def reserved(points: int) -> Move:
    return Move(available("lot"), held("lot", "hold"), points)


def paid(points: int) -> Move:
    return Move(held("lot", "hold"), REDEEMED, points)


def again(points: int) -> Move:
    return Move(available("lot"), REDEEMED, points)


def free(points: int) -> Move:
    return Move(held("lot", "hold"), available("lot"), points)


@pytest.mark.parametrize(
    ("fact", "english", "german"),
    [
        (
            a_fact("hold", "hold", reserved(300), order="3001"),
            "300 points reserved for order 3001.",
            "300 Punkte reserviert für Bestellung 3001.",
        ),
        (
            a_fact("capture", "capture", paid(1), order="3001"),
            "1 point spent on order 3001.",
            "1 Punkt für Bestellung 3001 ausgegeben.",
        ),
        (
            a_fact("release", "capture", free(1), order="3001"),
            "1 point reserved for order 3001 can be spent again: the order needed fewer.",
            "1 Punkt, der für Bestellung 3001 reserviert war, ist wieder frei: "
            "Sie brauchte weniger.",
        ),
        (
            a_fact("release", "released", free(300), order="3001"),
            "300 points reserved for order 3001 can be spent again.",
            "300 Punkte, die für Bestellung 3001 reserviert waren, sind wieder frei.",
        ),
        (
            a_fact("release", "time", free(300), order="3001"),
            "300 points reserved for order 3001 can be spent again: the time to pay was over.",
            "300 Punkte, die für Bestellung 3001 reserviert waren, sind wieder frei: "
            "Die Zeit zum Bezahlen war um.",
        ),
        (
            dated(a_fact("restoration", "refund", back(75), order="3001")),
            "75 points spent on order 3001 given back with its refund; "
            "good until at least 31 March 2031.",
            "75 Punkte von Bestellung 3001 mit der Erstattung zurückgegeben; "
            "gültig mindestens bis 31. März 2031.",
        ),
        (
            a_fact("restoration", "cancellation", back(75), order="3001"),
            "75 points spent on order 3001 given back: it was cancelled.",
            "75 Punkte von Bestellung 3001 zurückgegeben: Sie wurde storniert.",
        ),
        (
            a_fact("claw_back", "refund_undone", again(75), order="3001"),
            "The money for order 3001 was not given back after all: 75 points taken back.",
            "Das Geld für Bestellung 3001 wurde doch nicht erstattet: 75 Punkte zurückgenommen.",
        ),
        (
            a_fact("claw_back", "refund_undone", again(1), order="3001", short=2),
            "The money for order 3001 was not given back after all: 1 point taken back; "
            "2 points had been spent already and stay yours.",
            "Das Geld für Bestellung 3001 wurde doch nicht erstattet: 1 Punkt zurückgenommen; "
            "2 Punkte waren schon ausgegeben und bleiben dir.",
        ),
    ],
)
def test_what_becomes_of_reserved_points(fact: Fact, english: str, german: str) -> None:
    assert aloud(fact) == (english, german)


def test_the_history_of_a_hold_is_told_from_what_was_posted(shop: Shop) -> None:
    member = shop.a_member(points=500)
    hold = shop.hold(member, 300, order_id="3001")
    shop.order(member, 10000, id="3001", discount=2000)
    shop.capture(hold["id"], 200)
    shop.refund("3001", amount=2000)
    shop.hold(member, 100, order_id="3002")
    shop.advance(seconds=900)
    told = [one["summary"] for one in shop.get(f"/v1/members/{member}/transactions")["data"]]
    assert told[0] == (
        "100 points reserved for order 3002 can be spent again: the time to pay was over."
    )
    assert told[1] == "100 points reserved for order 3002."
    assert told[3].startswith("50 points spent on order 3001 given back with its refund")
    assert told[4] == (
        "100 points reserved for order 3001 can be spent again: the order needed fewer."
    )
    assert told[5] == "200 points spent on order 3001."
    assert told[7] == "300 points reserved for order 3001."
