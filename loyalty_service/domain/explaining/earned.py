"""What orders and events earned, or would earn, and what they wait for."""

from collections.abc import Iterable
from typing import Any

from loyalty_service.domain import earning
from loyalty_service.domain.explaining.facts import Dates, Fact
from loyalty_service.domain.explaining.when import between, spendable
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import ORDER, EarnWhen
from loyalty_service.domain.quoting import Quote
from loyalty_service.wording import Money, Voice

_WAITING = {
    EarnWhen.PLACED: "order_waits_to_be_placed",
    EarnWhen.PAID: "order_waits_to_be_paid",
    EarnWhen.FULFILLED: "order_waits_to_be_fulfilled",
}


def order(voice: Voice, fact: Fact) -> str:
    """What an order earned."""
    figures: dict[str, Any] = {"order": fact.context["order"]}
    if "waiting_for" in fact.context:
        return voice.say(_WAITING[EarnWhen(fact.context["waiting_for"])], **figures)
    if why := _why(voice, fact):
        return voice.say("order_earned", why=why, **figures)
    is_limited = _is_limited(fact.rules, ORDER, _stopped(fact))
    return voice.say("order_limited" if is_limited else "order_nothing", **figures)


def event(voice: Voice, fact: Fact) -> str:
    """What an event earned."""
    kind = fact.context["event_type"]
    name = voice.event(kind)
    if "waiting_for" in fact.context:
        return _waiting(voice, name, _minimum(fact.rules, kind), fact.rules)
    if why := _why(voice, fact):
        if "order" in fact.context:
            order_id = fact.context["order"]
            return voice.say("event_earned_by_order", event=name, order=order_id, why=why)
        return voice.say("event_earned", event=name, why=why)
    if _minimum(fact.rules, kind) is not None and "order" not in fact.context:
        return voice.say("event_ordered_before", event=name)
    is_limited = _is_limited(fact.rules, kind, _stopped(fact))
    return voice.say("event_limited" if is_limited else "event_nothing", event=name)


def other_side(voice: Voice, fact: Fact) -> str:
    """What the other member of an event was given; who that was is nobody's business."""
    name = voice.event(fact.context["event_type"])
    parts = [voice.say("points", n=fact.points), *spendable(voice, fact)]
    return voice.say("other_side", event=name, why=voice.joined(parts))


def quoted(voice: Voice, made: Quote) -> str:
    """What an order would earn."""
    rules, decided = made.decided.rules.rules, made.decided
    why = earning.why(voice, decided.earned.explanation, rules, made.points)
    if not why:
        is_limited = _is_limited(rules, ORDER, decided.pins.stopped)
        return voice.say("quote_limited" if is_limited else "quote_nothing")
    dates = Dates(made.available_at, made.ends_at)
    when = between(voice, dates, decided.moment, rules.zone) if made.points else ()
    return voice.say("quote_earned", why=voice.joined([why, *when]))


def _why(voice: Voice, fact: Fact) -> str:
    why = earning.why(voice, fact.context["explanation"], fact.rules, fact.points)
    return voice.joined([why, *spendable(voice, fact)]) if why else ""


def _waiting(voice: Voice, name: str, minimum: int | None, rules: Program) -> str:
    if not minimum:
        return voice.say("event_waits", event=name)
    return voice.say("event_waits_for", event=name, minimum=Money(minimum, rules.currency))


def _minimum(rules: Program, kind: str) -> int | None:
    """How large the first order must be that an event waits for; None where it does not wait."""
    minimums = (rule.first_order_minimum_minor for rule in rules.rules_on(kind))
    return min((one for one in minimums if one is not None), default=None)


def _stopped(fact: Fact) -> Iterable[str]:
    stopped: Iterable[str] = fact.context.get("pinned", {}).get("stopped", ())
    return stopped


def _is_limited(rules: Program, on: str, stopped: Iterable[str]) -> bool:
    """Say whether it earned nothing because a rule had given as often as it may."""
    return not {rule.id for rule in rules.rules_on(on)}.isdisjoint(stopped)
