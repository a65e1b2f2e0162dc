"""What points are worth in the books, by the program's word (`point_value`)."""

from loyalty_service.domain.program.document import PointValue


def worth_minor(points: int, value: PointValue) -> int:
    """What some points are worth, in minor units, rounded up: a debt is not made smaller."""
    return -(-points * value.amount_minor // value.points)
