"""What the offers of a program are now: what is left of their budgets, and whether staff could give
them to one member. Read, not written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from loyalty_service.domain import counters, members
from loyalty_service.domain.discounts import budgets, cooldowns
from loyalty_service.domain.discounts.budgets import Left
from loyalty_service.domain.discounts.giving import not_for_staff
from loyalty_service.domain.members import Known, Member
from loyalty_service.domain.program.document import Offer, Program
from loyalty_service.errors import Refusal


@dataclass(frozen=True, slots=True)
class Giving:
    """How an offer stands: what is left of its budget, where it has one.

    For a member also why staff could not give it, and when that is over by itself, if it ever is.
    """

    left: Left | None
    refusal: Refusal | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Now:
    """What decides about all offers at a moment."""

    rules: Program
    at: datetime
    used: Mapping[str, int]

    def left(self, offer: Offer) -> Left | None:
        return budgets.left(offer, self.at, self.rules, self.used)


def standing(session: Session, rules: Program, at: datetime) -> dict[str, Giving]:
    """How each offer of the program stands at `at`, by its id."""
    now = _now(session, rules, at)
    return {offer.id: Giving(now.left(offer)) for offer in rules.thank_you}


def standing_for(
    session: Session, rules: Program, member: Known | Member, at: datetime
) -> dict[str, Giving]:
    """The same for a member: the checks of `give`, in its order, without a gift."""
    now = _now(session, rules, at)
    last = cooldowns.last_given(session, rules.id, member.id, rules.thank_you)
    return {offer.id: _for(now, offer, member, last.get(offer.id)) for offer in rules.thank_you}


def _now(session: Session, rules: Program, at: datetime) -> _Now:
    shares = (budgets.shares(offer, at, rules) for offer in rules.thank_you)
    names = [share.counter for of_offer in shares for share in of_offer]
    return _Now(rules, at, counters.used_of(session, rules.id, names))


def _for(now: _Now, offer: Offer, member: Known | Member, last: datetime | None) -> Giving:
    left = now.left(offer)
    refused: Refusal | None = not_for_staff(now.rules, offer) or _not_spending(member)
    if refused:
        return Giving(left, refused)
    if refused := cooldowns.refusal(offer, member.id, last, now.at):
        return Giving(left, refused, cooldowns.ends_at(offer, last))
    if refused := budgets.refusal(offer, now.at, now.rules, now.used):
        return Giving(left, refused, budgets.opens_at(now.at, now.rules))
    return Giving(left)


def _not_spending(member: Known | Member) -> Refusal | None:
    try:
        members.require_spending(member)
    except Refusal as refused:
        return refused
    return None
