"""Rewards for tests: one of a small program, changed as a test needs it."""

import dataclasses

from loyalty_service.domain.program.document import PayWithPoints, Reward
from tests.domain.program.documents import a_program

MONEY_OFF = a_program().rewards[0]


def a_reward(**changes: object) -> Reward:
    return dataclasses.replace(MONEY_OFF, **changes)  # type: ignore[arg-type]


def at_a_rate(
    *,
    points: int = 100,
    amount_minor: int = 100,
    minimum: int,
    step: int,
    maximum: int | None = None,
) -> Reward:
    """A reward that is paid with any number of points."""
    rate = PayWithPoints(points, amount_minor, minimum, step, maximum)
    return a_reward(slabs=(), pay_with_points=rate)
