"""Turns: one at a time for an endpoint, a share for a program, the longest wait first."""

from collections import Counter
from concurrent.futures import Future

from loyalty_service.turns import AT_ONCE, OF_ONE_PROGRAM, Endpoint, Turns


def endpoints(program_id: str, count: int) -> list[Endpoint]:
    return [(program_id, f"whe_{number:02}") for number in range(count)]


class Beginning:
    """Begins turns and remembers whose; they end when told."""

    def __init__(self) -> None:
        self.begun: dict[Endpoint, Future[int]] = {}

    def __call__(self, endpoint: Endpoint) -> "Future[int]":
        assert endpoint not in self.begun, "two turns at once"
        self.begun[endpoint] = Future()
        return self.begun[endpoint]

    def end(self, endpoint: Endpoint) -> None:
        self.begun.pop(endpoint).set_result(1)

    def programs(self) -> Counter[str]:
        return Counter(program_id for program_id, _ in self.begun)


def test_a_program_has_no_more_than_its_share_and_the_rest_is_free_for_others() -> None:
    turns, begin = Turns(), Beginning()
    slow = endpoints("slow", 20)
    assert turns.give(slow, begin) == OF_ONE_PROGRAM
    assert turns.give(slow, begin) == 0
    assert turns.give([*slow, ("quick", "whe_1")], begin) == 1
    assert ("quick", "whe_1") in begin.begun


def test_a_turn_that_ends_goes_to_the_program_that_has_fewest() -> None:
    turns, begin = Turns(), Beginning()
    due = [*endpoints("a", 20), *endpoints("b", 20)]
    assert turns.give(due, begin) == AT_ONCE
    assert begin.programs() == {"a": OF_ONE_PROGRAM, "b": OF_ONE_PROGRAM}
    begin.end(next(iter(begin.begun)))
    assert turns.give([*due, ("c", "whe_1")], begin) == 1
    assert ("c", "whe_1") in begin.begun


def test_every_endpoint_of_a_program_has_its_turn_though_all_are_always_due() -> None:
    turns, begin = Turns(), Beginning()
    due = endpoints("slow", 20)
    had: Counter[Endpoint] = Counter()
    for _ in range(60):
        turns.give(due, begin)
        ended = next(iter(begin.begun))
        had[ended] += 1
        begin.end(ended)
    assert had == dict.fromkeys(due, 3)


def test_an_endpoint_has_no_two_turns_at_once() -> None:
    turns, begin = Turns(), Beginning()
    assert turns.give([("a", "whe_1")], begin) == 1
    assert turns.give([("a", "whe_1")], begin) == 0
    begin.end(("a", "whe_1"))
    assert turns.give([("a", "whe_1")], begin) == 1
    assert len(turns.under_way()) == 1
