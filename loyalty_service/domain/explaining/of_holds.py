"""Points reserved for an order, spent on it, free again, given back with its refunds,
and taken again."""

from loyalty_service.domain.explaining.facts import Fact
from loyalty_service.domain.explaining.of_orders import owing
from loyalty_service.domain.explaining.when import lasting
from loyalty_service.wording import Voice

_FREE = {"capture": "not_needed", "time": "ended_unpaid"}


def reserved(voice: Voice, fact: Fact) -> str:
    """Points set aside while an order is paid."""
    return voice.say("reserved", points=fact.points, order=fact.context["order"])


def spent(voice: Voice, fact: Fact) -> str:
    """Points that paid for an order."""
    return voice.say("paid_for_order", points=fact.points, order=fact.context["order"])


def free_again(voice: Voice, fact: Fact) -> str:
    """Points that were set aside and not spent: released, not needed, or not paid in time."""
    key = _FREE.get(fact.cause, "free_again")
    return voice.say(key, points=fact.points, order=fact.context["order"])


def given_back(voice: Voice, fact: Fact) -> str:
    """Points that paid for an order that came back, in whole or in part."""
    return voice.say(
        "back_after_cancelled_order" if fact.cause == "cancellation" else "back_after_refund",
        points=fact.points,
        order=fact.context["order"],
        when=voice.in_turn(["", *lasting(voice, fact)]),
    )


def taken_again(voice: Voice, fact: Fact) -> str:
    """Points that had come back and paid for their order after all."""
    said = [owing(voice, fact.points, fact.context.get("owed", 0))] if fact.points else []
    if short := fact.context.get("short", 0):
        said.append(voice.say("stays", points=short))
    return voice.say("taken_again_for_order", order=fact.context["order"], then=voice.in_turn(said))
