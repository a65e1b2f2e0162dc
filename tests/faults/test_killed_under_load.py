"""The whole service killed at random moments while many tills redeem, cancel, order and give."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults import world
from tests.faults.sizes import seeded, size
from tests.faults.traffic import Traffic

ANSWERS_BETWEEN_KILLS = 25
SECONDS_BEFORE_A_KILL = 0.05


@pytest.mark.parametrize(("on", "kills"), [("postgresql", 4), ("sqlite", 3)])
def test_kills_at_random_moments_lose_and_double_nothing(
    on: str, kills: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, draw = seeded()
    kills = size("RANDOM_KILLS", kills)
    with ExitStack() as stack:
        server = stack.enter_context(world.durable()) if on != "sqlite" else None
        opened = stack.enter_context(world.opened(tmp_path, on, server))
        opened.service.start()
        traffic = Traffic.opened(opened, draw, clients=6, members=4)
        for _ in range(kills):
            traffic.wait_for_answers(draw.randrange(1, ANSWERS_BETWEEN_KILLS))
            # Right after an answer one client is always between two requests.
            threading.Event().wait(draw.random() * SECONDS_BEFORE_A_KILL)
            opened.restart()
        traffic.wait_for_answers(ANSWERS_BETWEEN_KILLS)
        traffic.close()
        opened.assert_true()
        opened.assert_verified()
    met = dict(opened.statuses())
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{on}: {kills} kills, {traffic.answered} requests, answers {met}; FAULT_SEED={seed}"
        )
