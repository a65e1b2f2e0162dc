"""What happened, in one plain sentence, from the context that was pinned when it happened.

`facts` reads what a sentence is made of; the rest is pure: a voice and a fact make a sentence.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from loyalty_service.domain.explaining import by_hand, earned, facts, of_holds, of_orders, of_tiers
from loyalty_service.domain.explaining.facts import Fact, structure
from loyalty_service.domain.explaining.when import lasting
from loyalty_service.domain.ledger import Move, Transaction
from loyalty_service.wording import Voice

__all__ = ["Fact", "sentence", "sentences", "structure"]


def sentences(
    session: Session,
    voice: Voice,
    transactions: Sequence[Transaction],
    moves: Mapping[str, list[Move]],
) -> dict[str, str]:
    """A sentence about each of a program's transactions, for the customer's eyes, by id."""
    read = facts.read(session, transactions, moves)
    return {transaction_id: sentence(voice, fact) for transaction_id, fact in read.items()}


def sentence(voice: Voice, fact: Fact) -> str:
    """What happened, why, and when points can be spent or end."""
    by_cause = _BY_CAUSE.get((fact.kind, fact.cause))
    say = by_cause or _BY_KIND.get(fact.kind)
    return say(voice, fact) if say else voice.say("something")


def _exchanged(voice: Voice, fact: Fact) -> str:
    reward = fact.context["reward_name"]
    if not fact.points:
        return voice.say("exchanged_for_nothing", reward=reward)
    return voice.say("exchanged", points=fact.points, reward=reward)


def _given_back(voice: Voice, fact: Fact) -> str:
    reward = fact.context["reward_name"]
    if not fact.points:
        return voice.say(_UNDONE.get(fact.cause, "undone_after_cancelling"), reward=reward)
    return voice.say(
        _BACK.get(fact.cause, "back_after_cancelling"),
        points=fact.points,
        reward=reward,
        when=voice.in_turn(["", *lasting(voice, fact)]),
    )


def _taken_again(voice: Voice, fact: Fact) -> str:
    return voice.say("taken_again", points=fact.points, reward=fact.context["reward_name"])


Say = Callable[[Voice, Fact], str]
_UNDONE = {"failed": "undone_after_failing", "expired": "undone_after_ending"}
_BACK = {"failed": "back_after_failing", "expired": "back_after_ending"}
_BY_CAUSE: dict[tuple[str, str], Say] = {
    ("earn", "order"): earned.order,
    ("earn", "event"): earned.event,
    ("earn", "other_side"): earned.other_side,
    ("earn", "tier_entry"): of_tiers.gift,
    ("earn", "refund"): of_orders.changed,
    ("earn", "amendment"): of_orders.changed,
    ("earn", "cancellation"): of_orders.changed,
    ("claw_back", "refund"): of_orders.changed,
    ("claw_back", "amendment"): of_orders.changed,
    ("claw_back", "cancellation"): of_orders.changed,
    ("claw_back", "tier_entry_withdrawn"): of_tiers.withdrawn,
    ("claw_back", "late_use"): _taken_again,
    ("claw_back", "refund_undone"): of_holds.taken_again,
    ("restoration", "refund"): of_holds.given_back,
    ("restoration", "cancellation"): of_holds.given_back,
}
_BY_KIND: dict[str, Say] = {
    "credit": by_hand.credit,
    "debit": by_hand.debit,
    "reversal": by_hand.reversal,
    "redemption": _exchanged,
    "restoration": _given_back,
    "hold": of_holds.reserved,
    "capture": of_holds.spent,
    "release": of_holds.free_again,
    "maturity": lambda voice, fact: voice.say("matured", points=fact.points),
    "expiry": lambda voice, fact: voice.say("expired", points=fact.points),
    "repayment": lambda voice, fact: voice.say("repaid", points=fact.points),
    "tier_change": of_tiers.changed,
}
