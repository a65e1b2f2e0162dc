"""What our staff gave, took and undid."""

from collections.abc import Iterator

from loyalty_service.domain.explaining.facts import Fact
from loyalty_service.domain.explaining.when import lasting
from loyalty_service.domain.ledger import ADJUSTED, DEBT, ISSUED
from loyalty_service.wording import Voice


def credit(voice: Voice, fact: Fact) -> str:
    """Points given by hand."""
    return voice.say(
        "given_by_two" if _is_approved(fact) else "given_by_staff",
        points=fact.points,
        reason=voice.reason(fact.context["reason"]),
        when=voice.in_turn(["", *lasting(voice, fact)]),
    )


def debit(voice: Voice, fact: Fact) -> str:
    """Points taken by hand."""
    reason = voice.reason(fact.context["reason"])
    key = "taken_by_two" if _is_approved(fact) else "taken_by_staff"
    return voice.say(key, points=fact.points, reason=reason)


def reversal(voice: Voice, fact: Fact) -> str:
    """An adjustment or an event's points, undone."""
    reason = voice.reason(fact.context["reason"])
    then = voice.in_turn(["", *_then(voice, fact)])
    if not fact.points:
        # All of it had been spent, or had expired: nothing tells any more what it was.
        return voice.say("undone", reason=reason, then=then)
    return voice.say(_undone(fact), points=fact.points, reason=reason, then=then)


def _is_approved(fact: Fact) -> bool:
    # Who the second person was is not for customers.
    return "approval" in fact.context


def _undone(fact: Fact) -> str:
    if any(move.credit == ISSUED for move in fact.moves):
        return "undone_event"
    is_given_back = any(move.debit == ADJUSTED for move in fact.moves)
    return "undone_taking" if is_given_back else "undone_gift"


def _then(voice: Voice, fact: Fact) -> Iterator[str]:
    owed = sum(move.points for move in fact.moves if move.debit == DEBT)
    if owed:
        yield voice.say("all_owed" if owed == fact.points else "owed", owed=owed)
    if short := fact.context.get("short", 0):
        yield voice.say("stays", points=short)
