"""Tiers that were reached and lost, and what reaching them gave."""

from loyalty_service.domain.explaining.facts import Fact
from loyalty_service.domain.explaining.when import lasting
from loyalty_service.domain.program import Program
from loyalty_service.wording import Voice, words

_LOST = {
    "refund": "tier_lost_by_refund",
    "cancellation": "tier_lost_by_cancellation",
    "amendment": "tier_lost_by_amendment",
    "reversal": "tier_lost_by_reversal",
}


def changed(voice: Voice, fact: Fact) -> str:
    """Which tier it is now, and why."""
    before, after = fact.context.get("from"), fact.context.get("to")
    if after is None:
        return _without(voice, fact, before)
    tier = _name(fact.rules, after)
    if before is None:
        return voice.say("tier_is", tier=tier)
    if fact.cause == "time":
        return voice.say("tier_ended", before=_name(fact.rules, before), tier=tier)
    if _place(fact.rules, after) > _place(fact.rules, before):
        return voice.say("tier_reached", tier=tier)
    key = _LOST.get(fact.cause, "tier_changed")
    return voice.say(key, before=_name(fact.rules, before), tier=tier)


def gift(voice: Voice, fact: Fact) -> str:
    """Points for reaching a tier, the first time or again."""
    return voice.say(
        "tier_gift_again" if fact.is_again else "tier_gift",
        points=fact.points,
        tier=_name(fact.rules, fact.context["tier"]),
        when=voice.in_turn(["", *lasting(voice, fact)]),
    )


def withdrawn(voice: Voice, fact: Fact) -> str:
    """Those points, taken back."""
    tier = _name(fact.rules, fact.context["tier"])
    return voice.say("tier_gift_withdrawn", points=fact.points, tier=tier)


def _without(voice: Voice, fact: Fact, before: str | None) -> str:
    if before is None:
        return voice.say("tier_none")
    return voice.say("tier_ended_without_another", before=_name(fact.rules, before))


def _name(rules: Program, tier_id: str) -> str:
    tier = rules.tiers.level(tier_id) if rules.tiers else None
    return tier.name if tier else words(tier_id)


def _place(rules: Program, tier_id: str) -> int:
    """How high a tier is; one that the rules do not know any more is below all."""
    levels = [tier.id for tier in rules.tiers.levels] if rules.tiers else []
    return levels.index(tier_id) if tier_id in levels else -1
