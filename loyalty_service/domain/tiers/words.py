"""What a member is told of a tier: how far the next one is, and what keeps this one."""

from collections.abc import Iterator

from loyalty_service.domain.program.document import Metric
from loyalty_service.domain.tiers.progress import Keep, Next, Progress
from loyalty_service.wording import Money, Voice


def sentences(voice: Voice, shown: Progress) -> list[str]:
    """What there is to say, the next tier first; nothing in the highest one for ever."""
    return [*_about_next(voice, shown, shown.next), *_about_keeping(voice, shown, shown.keep)]


def _about_next(voice: Voice, shown: Progress, above: Next | None) -> Iterator[str]:
    if above is None:
        return
    missing = _amount(voice, shown, above.missing)
    if not above.missing:
        # The rules have changed since something last counted.
        yield voice.say("tier_enough", tier=above.name)
    elif above.by:
        yield voice.say("tier_missing_by", missing=missing, day=above.by, tier=above.name)
    else:
        yield voice.say("tier_missing", missing=missing, tier=above.name)


def _about_keeping(voice: Voice, shown: Progress, keep: Keep | None) -> Iterator[str]:
    if keep is None or shown.until is None:
        return
    missing = _amount(voice, shown, keep.missing)
    if keep.by == shown.until:
        yield voice.say("tier_keep", missing=missing, day=keep.by, tier=shown.name)
    else:
        yield voice.say(
            "tier_keep_beyond", missing=missing, day=keep.by, tier=shown.name, until=shown.until
        )


def _amount(voice: Voice, shown: Progress, credits: int) -> str:
    """So many credits with their unit: "58.00 EUR", "1 point", "3 orders"."""
    if shown.metric is Metric.SPEND:
        return voice.written(Money(credits, shown.currency))
    return voice.say("orders" if shown.metric is Metric.ORDERS else "points", n=credits)
