"""Whose turn it is to be sent to: one at a time for an endpoint, a share for a program.

So that endpoints that are slow, however many, hold up those of no other program. Kept in this
process alone.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future

AT_ONCE = 16
OF_ONE_PROGRAM = AT_ONCE // 2
# A program's id and its endpoint's.
Endpoint = tuple[str, str]


class Turns:
    """The turns under way, and when each endpoint had its last."""

    def __init__(self) -> None:
        self._under_way: dict[Endpoint, Future[int]] = {}
        self._last: dict[Endpoint, int] = {}
        self._given = 0

    def give(self, due: Iterable[Endpoint], begin: Callable[[Endpoint], "Future[int]"]) -> int:
        """Begin a turn for those of the endpoints whose turn it is now; how many."""
        self._under_way = {one: turn for one, turn in self._under_way.items() if not turn.done()}
        waiting = set(due) - set(self._under_way)
        known = waiting | set(self._under_way)
        self._last = {one: number for one, number in self._last.items() if one in known}
        before = self._given
        while (endpoint := self._next(waiting)) is not None:
            waiting.remove(endpoint)
            self._given += 1
            self._last[endpoint] = self._given
            self._under_way[endpoint] = begin(endpoint)
        return self._given - before

    def under_way(self) -> Collection["Future[int]"]:
        """The turns that have begun and, when it was last looked, not ended."""
        return self._under_way.values()

    def _next(self, waiting: Collection[Endpoint]) -> Endpoint | None:
        """Of the program with the fewest turns under way, who waits longest since its own."""
        if len(self._under_way) >= AT_ONCE:
            return None
        busy = Counter(program_id for program_id, _ in self._under_way)
        may = [one for one in waiting if busy[one[0]] < OF_ONE_PROGRAM]
        return min(may, key=lambda one: (busy[one[0]], self._last.get(one, 0), one), default=None)
