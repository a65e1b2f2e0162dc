"""Cooldowns: a member has an offer once in so much time. What came to nothing does not count."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service import canonical
from loyalty_service.domain.codes import CAME_TO_NOTHING
from loyalty_service.domain.discounts.table import WITHHELD, Discount
from loyalty_service.domain.program.document import Offer
from loyalty_service.errors import OfferGivenLately


def last_given(
    session: Session, program_id: str, member_id: str, offers: Collection[Offer]
) -> dict[str, datetime]:
    """When a member was last given each of the offers that have a cooldown, by the offer's id."""
    named = [offer.id for offer in offers if offer.cooldown_seconds is not None]
    if not named:
        return {}
    rows = session.execute(
        select(Discount.offer_id, func.max(Discount.created_at))
        .where(Discount.program_id == program_id, Discount.member_id == member_id)
        .where(Discount.offer_id.in_(named))
        .where(Discount.status.not_in((*CAME_TO_NOTHING, WITHHELD)))
        .group_by(Discount.offer_id)
    )
    return {offer_id: last for offer_id, last in rows}


def ends_at(offer: Offer, last: datetime | None) -> datetime | None:
    """When a member who was given an offer at `last` may have it again; None: at any time."""
    if last is None or offer.cooldown_seconds is None:
        return None
    return last + timedelta(seconds=offer.cooldown_seconds)


def refusal(
    offer: Offer, member_id: str, last: datetime | None, at: datetime
) -> OfferGivenLately | None:
    """Why a member can't have an offer at `at`; None where the cooldown is over. Pure."""
    again_at = ends_at(offer, last)
    if last is None or again_at is None or again_at <= at:
        return None
    return OfferGivenLately(
        f"{member_id} had {offer.id} at {canonical.timestamp(last)} and may have "
        f"it again at {canonical.timestamp(again_at)}.",
        param="offer",
    )
