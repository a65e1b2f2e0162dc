"""The promise to look for thanks that a fact makes due, written with the fact itself.

A program that has no such offer promises nothing, and its facts cost what they did.
"""

from typing import Any

from sqlalchemy import Table

from loyalty_service.domain import jobs
from loyalty_service.domain.ledger import Entry
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import Offer, TriggerKind
from loyalty_service.domain.tiers import entry as tier_entry
from loyalty_service.statements import Values, table_of

CONSIDER_THANKS = "consider_thanks"


def of_fact(program_id: str, entry: Entry, rules: Program) -> list[tuple[Table, Values]]:
    """The row to be written beside what an order or an event earned."""
    return _promise(program_id, entry, any(_may_follow(one, entry) for one in rules.thank_you))


def of_tier(program_id: str, entry: Entry, rules: Program) -> list[tuple[Table, Values]]:
    """The row to be written beside a change of tier; a fall brings none."""
    offers = rules.offers_for(TriggerKind.TIER_REACHED)
    moved = (entry.context["from"], entry.context["to"])
    reached = {tier.id for tier in tier_entry.between(rules, *moved)} if offers else set()
    return _promise(program_id, entry, any(offer.trigger.tier in reached for offer in offers))


def is_low(offer: Offer, event_type: str, data: dict[str, Any]) -> bool:
    """Say whether an event tells that the member is not happy, as the offer understands it."""
    low = offer.trigger.feedback
    if low is None or low.event != event_type:
        return False
    figure = data.get(low.field)
    return isinstance(figure, int) and figure <= low.at_most


def _may_follow(offer: Offer, entry: Entry) -> bool:
    trigger, cause = offer.trigger, entry.context.get("cause")
    if trigger.kind is TriggerKind.NTH_ORDER:
        return cause == "order"
    low = trigger.feedback
    return cause == "event" and low is not None and low.event == entry.context["event_type"]


def _promise(program_id: str, entry: Entry, is_due: bool) -> list[tuple[Table, Values]]:
    if not is_due:
        return []
    _, row = jobs.promised(program_id, CONSIDER_THANKS, entry.id, lease_seconds=0)
    return [(table_of(jobs.Job), row)]
