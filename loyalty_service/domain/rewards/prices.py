"""What a reward costs and what that buys, and what its coupon is called.

A price is a slab of the program, or any number of points at a rate: from the minimum on, in steps
counted from it. At a rate the amount is rounded down to a whole minor unit, never up.
"""

from fractions import Fraction
from typing import NamedTuple

from loyalty_service.domain import codes
from loyalty_service.domain.codes import Worth
from loyalty_service.domain.limits import INTEGER_MAX, POINTS_MAX
from loyalty_service.domain.program.document import PayWithPoints, Reward, Slab
from loyalty_service.errors import PointsNotOffered

_WHOLE_ORDER = Fraction(1)


class NoSuchSlab(ValueError):
    """The reward has no price of that many points; `offered` says which it has."""

    def __init__(self, reward_id: str, points: int, offered: str) -> None:
        super().__init__(f"{reward_id} is not offered for {points} points; its prices: {offered}")
        self.reward_id, self.points, self.offered = reward_id, points, offered


class PointsToPay(NamedTuple):
    """So many points take so much off an order."""

    points: int
    amount_minor: int


def price(reward: Reward, points: int | None) -> Slab:
    """Return the price of exactly `points`, or the lowest for None; raise NoSuchSlab."""
    if reward.pay_with_points:
        return _at_rate(reward, reward.pay_with_points, points)
    if points is None:
        return reward.slabs[0]
    for slab in reward.slabs:
        if slab.points == points:
            return slab
    offered = ", ".join(str(slab.points) for slab in reward.slabs)
    raise NoSuchSlab(reward.id, points, offered)


def require_price(reward: Reward, points: int | None) -> Slab:
    """The same, for whoever asked for so many points; raises PointsNotOffered."""
    try:
        return price(reward, points)
    except NoSuchSlab as error:
        raise PointsNotOffered(
            f"{reward.id} can't be had for {error.points} points; it costs {error.offered}.",
            param="points",
        ) from error


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


def pay_with_points(reward: Reward, balance_available: int, order_minor: int) -> PointsToPay | None:
    """Return the most that points may take off an order of `order_minor`, with the fewest points.

    Within the balance, the reward's maximum and its share of the order, and never more than the
    order itself. None where not even the smallest price is, or the reward has no rate.
    """
    pay = reward.pay_with_points
    if pay is None or order_minor < (reward.minimum_order_minor or 0):
        return None
    most = min(
        balance_available, _most(reward, pay), _points_within(pay, _share(reward, order_minor))
    )
    points = _step_down(pay, most)
    if points < _least(pay):
        return None
    # Where a step is worth less than a minor unit, fewer points may take off the same.
    amount_minor = _worth_minor(pay, points)
    return PointsToPay(_step_up(pay, _points_for(pay, amount_minor)), amount_minor)


def coupon_id(program_id: str, reward: Reward, slab: Slab, currency: str) -> str:
    """Name the coupon of a price by its content, so that versions with equal content share it."""
    content = {"program": program_id, "reward": reward.id, "name": reward.name}
    return codes.coupon_id(content, Worth(slab.amount_off_minor, slab.percent_off), currency)


def _at_rate(reward: Reward, pay: PayWithPoints, points: int | None) -> Slab:
    least = _least(pay)
    wanted = least if points is None else points
    is_on_a_step = (wanted - pay.minimum) % pay.step == 0
    if not (is_on_a_step and least <= wanted <= _most(reward, pay)):
        raise NoSuchSlab(reward.id, wanted, _offered(pay, least))
    return Slab(wanted, amount_off_minor=_worth_minor(pay, wanted), percent_off=None)


def _offered(pay: PayWithPoints, least: int) -> str:
    steps = f" in steps of {pay.step}" if pay.step > 1 else ""
    end = f", at most {_step_down(pay, pay.maximum)}" if pay.maximum else ""
    return f"any number of points from {least} on{steps}{end}"


def _least(pay: PayWithPoints) -> int:
    """The fewest points that buy anything: nobody gives points for nothing."""
    return _step_up(pay, _points_for(pay, 1))


def _most(reward: Reward, pay: PayWithPoints) -> int:
    """The most points at once: no larger amount, or smallest order, than can be kept."""
    most = min(pay.maximum or POINTS_MAX, _points_within(pay, _share(reward, INTEGER_MAX)))
    return _step_down(pay, most)


def _share(reward: Reward, order_minor: int) -> int:
    """The most that may be taken off an order."""
    share = reward.max_share_of_order or _WHOLE_ORDER
    return order_minor * share.numerator // share.denominator


def _worth_minor(pay: PayWithPoints, points: int) -> int:
    return points * pay.amount_minor // pay.points


def _points_for(pay: PayWithPoints, amount_minor: int) -> int:
    """The fewest points that are worth `amount_minor`."""
    return -(-amount_minor * pay.points // pay.amount_minor)


def _points_within(pay: PayWithPoints, amount_minor: int) -> int:
    """The most points that are worth no more than `amount_minor`."""
    return _points_for(pay, amount_minor + 1) - 1


def _step_up(pay: PayWithPoints, points: int) -> int:
    steps = max(0, -((pay.minimum - points) // pay.step))
    return pay.minimum + steps * pay.step


def _step_down(pay: PayWithPoints, points: int) -> int:
    """The last step that is not above `points`; below the minimum where there is none."""
    return pay.minimum + (points - pay.minimum) // pay.step * pay.step
