"""What a reward costs, when it can be had, and what its coupon is called: pure arithmetic."""

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from loyalty_service import canonical
from loyalty_service.domain import calendar
from loyalty_service.domain.program.document import Reward, Slab

_COUPON_HEX_DIGITS = 12


class NoSuchSlab(ValueError):
    """The reward has no price of that many points; `offered` are those it has."""

    def __init__(self, reward_id: str, points: int, offered: tuple[int, ...]) -> None:
        prices = ", ".join(str(price) for price in offered)
        super().__init__(f"{reward_id} is not offered for {points} points; its prices: {prices}")
        self.reward_id, self.points, self.offered = reward_id, points, offered


def price(reward: Reward, points: int | None) -> Slab:
    """Return the slab of exactly `points`, or the lowest for None; raise NoSuchSlab."""
    if points is None:
        return reward.slabs[0]
    for slab in reward.slabs:
        if slab.points == points:
            return slab
    raise NoSuchSlab(reward.id, points, tuple(slab.points for slab in reward.slabs))


def minimum_order_minor(reward: Reward, slab: Slab) -> int | None:
    """Return the smallest order, in minor units, that the slab's discount may be used on.

    The reward's own minimum or the order that the discount is the largest allowed share of,
    whichever is larger; None where the reward limits neither.
    """
    share = reward.max_share_of_order
    if share is None or slab.amount_off_minor is None:
        return reward.minimum_order_minor
    by_share_minor = -(-slab.amount_off_minor * share.denominator // share.numerator)
    return max(by_share_minor, reward.minimum_order_minor or 0)


def on_sale(reward: Reward, at: datetime, zone: ZoneInfo) -> bool:
    """Say whether `at` lies in the reward's window of local dates, both ends included."""
    today = calendar.local_date(at, zone)
    begun = reward.available_from is None or reward.available_from <= today
    ended = reward.available_until is not None and reward.available_until < today
    return begun and not ended


def code_expires_at(reward: Reward, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant, in UTC, at which a code issued at `at` ends; None for never.

    The code is good through the local date `code_lifetime_days` later.
    """
    if reward.code_lifetime_days is None:
        return None
    last_day = calendar.local_date(at, zone) + timedelta(days=reward.code_lifetime_days)
    return calendar.first_moment(last_day + timedelta(days=1), zone)


def coupon_id(program_id: str, reward: Reward, slab: Slab, currency: str) -> str:
    """Name the coupon of a slab by its content, so that versions with equal content share it."""
    content: dict[str, object] = {"program": program_id, "reward": reward.id, "name": reward.name}
    if slab.amount_off_minor is not None:
        content |= {"amount_off": slab.amount_off_minor, "currency": currency}
    if slab.percent_off is not None:
        content |= {"percent_off": percent_text(slab.percent_off)}
    return f"loy_{canonical.sha256(canonical.dumps(content))[:_COUPON_HEX_DIGITS]}"


def percent_text(percent_off: Fraction) -> str:
    """Write a percentage of at most two decimals without a trailing zero: "12.5"."""
    hundredths = percent_off * 100
    whole, rest = divmod(int(hundredths), 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
