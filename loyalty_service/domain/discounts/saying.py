"""What a thank-you discount is for and gives, in plain words for the customer."""

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy.orm import Session

from loyalty_service.domain.discounts.table import WITHHELD, Discount
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import Offer, RewardType, TriggerKind
from loyalty_service.domain.program.versions import NEWEST, Newest, numbered
from loyalty_service.errors import BudgetExceeded
from loyalty_service.wording import Money, Voice, words

Versions = Mapping[int, Program]
Say = Callable[[Voice, Discount, Versions], str]


def versions_of(session: Session, program_id: str, rows: Iterable[Discount]) -> Versions:
    """The rules that sentences about some discounts need, by their numbers."""
    numbers = {row.program_version for row in rows if row.trigger == TriggerKind.TIER_REACHED}
    newest = NEWEST.first(session, of_program=program_id) if numbers else None
    if newest is None:
        return {}
    return numbered(session, program_id, Newest(*newest), numbers)


def sentence(voice: Voice, row: Discount, versions: Versions) -> str:
    """What it was given for, or why it was not; `versions` as of `versions_of`."""
    if row.status == WITHHELD:
        is_budget = row.failure == BudgetExceeded.code
        key = "thanks_without_budget" if is_budget else "thanks_given_lately"
        return voice.say(key, name=row.name)
    return _SAY[TriggerKind(row.trigger)](voice, row, versions)


def gives(voice: Voice, offer: Offer, currency: str) -> str:
    """What an offer gives, with the smallest order it is good for."""
    given = _given(voice, offer, currency)
    if offer.minimum_order_minor is None:
        return given
    minimum = Money(offer.minimum_order_minor, currency)
    return voice.say("offer_from_an_order", gives=given, minimum=minimum)


def _given(voice: Voice, offer: Offer, currency: str) -> str:
    if offer.gives:
        return offer.gives
    if offer.amount_off_minor is not None:
        return voice.say("offer_amount_off", amount=Money(offer.amount_off_minor, currency))
    if offer.percent_off is not None:
        return voice.say("offer_percent_off", percent=offer.percent_off)
    is_shipping = offer.type is RewardType.FREE_SHIPPING
    return voice.say("offer_free_shipping") if is_shipping else offer.name


def _by_staff(voice: Voice, row: Discount, versions: Versions) -> str:
    return voice.say("thanks_by_staff", name=row.name, reason=voice.reason(row.reason or ""))


def _for_tier(voice: Voice, row: Discount, versions: Versions) -> str:
    _, tier_id, *_ = row.cause.split(":")
    tiers = versions[row.program_version].tiers
    tier = tiers.level(tier_id) if tiers else None
    return voice.say("thanks_tier", name=row.name, tier=tier.name if tier else words(tier_id))


def _for_order(voice: Voice, row: Discount, versions: Versions) -> str:
    _, _, number = row.cause.partition(":")
    return voice.say("thanks_order", name=row.name, number=int(number))


def _plainly(voice: Voice, row: Discount, versions: Versions) -> str:
    return voice.say(_PLAIN[TriggerKind(row.trigger)], name=row.name)


_PLAIN = {
    TriggerKind.ANNIVERSARY: "thanks_anniversary",
    TriggerKind.BIRTHDAY: "thanks_birthday",
    TriggerKind.LAPSED: "thanks_lapsed",
    TriggerKind.LOW_FEEDBACK: "thanks_feedback",
}
_SAY: dict[TriggerKind, Say] = {
    TriggerKind.STAFF: _by_staff,
    TriggerKind.TIER_REACHED: _for_tier,
    TriggerKind.NTH_ORDER: _for_order,
    **dict.fromkeys(_PLAIN, _plainly),
}
