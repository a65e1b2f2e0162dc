"""What held points pay of an order: by the program's own rate, with the functions of a quote."""

from dataclasses import dataclass, replace

from loyalty_service.domain import rewards
from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.domain.program import Program
from loyalty_service.domain.program.document import Reward
from loyalty_service.errors import (
    CurrencyNotPriced,
    PointsExceedOrder,
    RewardNotFound,
)


@dataclass(frozen=True, slots=True)
class OrderAmount:
    """The merchandise money of an order before points: net of discounts, without tax, shipping.

    `others_minor` is what other holds of the same order take off.
    """

    amount_minor: int
    currency: str
    others_minor: int = 0


def reward_for(rules: Program, wanted: str | None) -> Reward | None:
    """The reward that prices points: the one that is named, or the only one that can.

    None where the program has none, or several and none is named. Raises RewardNotFound.
    """
    rated = [reward for reward in rules.rewards if reward.pay_with_points]
    if wanted is None:
        return rated[0] if len(rated) == 1 else None
    for reward in rated:
        if reward.id == wanted:
            return reward
    known = ", ".join(reward.id for reward in rated) or "none"
    raise RewardNotFound(
        f"There is no reward {wanted!r} with pay_with_points; the program has: {known}.",
        param="reward",
    )


def worth_minor(reward: Reward, points: int) -> int:
    """What so many points take off; raises PointsNotOffered."""
    return rewards.require_price(reward, points).amount_off_minor or 0


def minimum_order_minor(reward: Reward, points: int, others_minor: int = 0) -> int:
    """The smallest order that so many points may pay a part of, beside what others take off: at
    least all that is taken off."""
    slab = rewards.price(reward, points)
    off_minor = (slab.amount_off_minor or 0) + others_minor
    whole = replace(slab, amount_off_minor=off_minor)
    return max(rewards.minimum_order_minor(reward, whole) or 0, off_minor)


def require_order(rules: Program, reward: Reward, points: int, order: OrderAmount) -> None:
    """Refuse points that are more than a quote would say; raises CurrencyNotPriced and
    PointsExceedOrder."""
    if order.currency != rules.currency:
        raise CurrencyNotPriced(
            f"The program prices {rules.currency}, not {order.currency}.",
            param="order_amount.currency",
        )
    if order.amount_minor >= minimum_order_minor(reward, points, order.others_minor):
        return
    if order.amount_minor >= minimum_order_minor(reward, points):
        raise PointsExceedOrder(
            f"Other holds of this order take {order.others_minor} off ({order.currency}, minor "
            f"units); with this one it were too much of an order of {order.amount_minor}. Hold "
            "fewer points, or release the other hold.",
            param="points",
        )
    most = rewards.pay_with_points(reward, POINTS_MAX, order.amount_minor)
    of_it = f"Of an order of {order.amount_minor} ({order.currency}, minor units) {reward.id} pays"
    if most:
        raise PointsExceedOrder(
            f"{of_it} at most {most.amount_minor}, for {most.points} points.", param="points"
        )
    least = rewards.price(reward, None).points
    raise PointsExceedOrder(
        f"{of_it} nothing: its least, {least} points, needs {minimum_order_minor(reward, least)}.",
        param="order_amount.amount",
        customer_message="This order is too small to be paid with points.",
    )
