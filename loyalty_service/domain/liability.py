"""What points are worth in the books: by the program's own word, or by its cheapest reward."""

from dataclasses import dataclass

from loyalty_service.domain.program import Program


@dataclass(frozen=True, slots=True)
class Rate:
    """So many points are worth `amount_minor`; `reward` names whose price it is, None where the
    program says so itself (`point_value`)."""

    points: int
    amount_minor: int
    reward: str | None = None

    def of(self, points: int) -> int:
        """What some points are worth, in minor units, rounded up: a debt is not made smaller."""
        return -(-points * self.amount_minor // self.points)


def rate(rules: Program) -> Rate | None:
    """What the program's points are worth: its `point_value`, else the rate of the amount off that
    costs the fewest points; None where there is neither."""
    if rules.point_value is not None:
        return Rate(rules.point_value.points, rules.point_value.amount_minor)
    slabs = [
        Rate(slab.points, slab.amount_off_minor, reward.id)
        for reward in rules.rewards
        for slab in reward.slabs
        if slab.amount_off_minor is not None and slab.points
    ]
    return min(slabs, key=lambda one: one.points, default=None)
