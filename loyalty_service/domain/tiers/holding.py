"""Which tier is held, and what time will do to it: a pure function of credits, rules and the time.

Nothing is carried from one reckoning to the next: a refund that takes credits back takes a tier
back with them, and an order told late brings the one that it always was worth.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loyalty_service.domain import calendar
from loyalty_service.domain.ledger.standing import Standing, Step
from loyalty_service.domain.program.document import Downgrade, Period, Program, Tier, Tiers
from loyalty_service.domain.tiers import counting, windows
from loyalty_service.domain.tiers.counting import Credit, Reached

_DAY = timedelta(days=1)
_EVER = date.max
_NEVER = date.min


@dataclass(frozen=True, slots=True)
class Held:
    """The tier that is held, through which local day, and what time will make of it after that.

    `kept_until` is the first moment at which it is no longer kept; None, as `kept_through`, where
    it is never lost. `credits` is the sum of the window in which the moment lies.
    """

    tier: str
    kept_through: date | None
    kept_until: datetime | None
    steps: tuple[Step, ...]
    credits: int


def hold(
    credits: Iterable[Credit],
    versions: Mapping[int, Program],
    enrolled_at: datetime,
    now: datetime,
) -> Held:
    """The tier that credits give at `now`.

    `versions` holds every version that credits were recorded under and the one in force, which is
    the newest of them and has tiers; levels that it does not know are nobody's.
    """
    known = list(credits)
    rules = versions[max(versions)]
    tiers = tiers_of(rules)
    enrolled = calendar.local_date(enrolled_at, rules.zone)
    today = calendar.latest_begun(now, rules.zone)
    life = _Life(tiers, enrolled)
    for one in counting.reached(known, versions, enrolled_at):
        life.rise(one)
    for _ in life.falls(today):
        pass
    held, through = life.level, life.kept_through
    steps = _steps(rules, held, list(life.falls(_EVER)))
    return Held(
        tier=held.id,
        kept_through=None if through == _EVER else through,
        kept_until=steps[0].at if steps else None,
        steps=steps,
        credits=counting.sum_in(known, tiers, windows.span(tiers.window, today, enrolled)),
    )


def standing(before: Standing, held: Held, rules: Program, at: datetime) -> Standing:
    """What stands after a fact of the moment `at`: the same where nothing has changed.

    A floor under expiry never goes down, and a pause that ends brings one along. The lowest tier of
    somebody who never had another is held since the enrolment: `since` stays None.
    """
    level = tier_of(rules, held.tier)
    was_held = before.tier or tier_of(rules, None).id
    floor = before.expires_not_before
    if before.expiry_paused and not level.expiry_never:
        floor = _later(floor, floor_after(rules, calendar.local_date(at, rules.zone)))
    return Standing(
        tier=held.tier,
        since=before.since if was_held == held.tier else at,
        steps=held.steps,
        expiry_paused=level.expiry_never,
        expires_not_before=floor,
    )


def advanced(stands: Standing, to: datetime) -> Standing:
    """What stands once every step up to and including a moment is taken."""
    while stands.steps and stands.steps[0].at <= to:
        stands = stands.after_step()
    return stands


def tiers_of(rules: Program) -> Tiers:
    """The tiers of a program that has some."""
    assert rules.tiers is not None, "a program without tiers"
    return rules.tiers


def tier_of(rules: Program, tier_id: str | None) -> Tier:
    """The level of this id; the lowest where nobody has looked yet, or the rules know it no more.

    The program has tiers.
    """
    tiers = tiers_of(rules)
    return tiers.level(tier_id) or tiers.levels[0]


def floor_after(rules: Program, day: date) -> datetime | None:
    """Before which moment no lot ends once a tier that held expiry back is lost on a local day."""
    if rules.expiry is None:
        return None
    # A document that no longer has a tier which holds expiry back does not say: nobody's points
    # may be gone overnight for that.
    period = rules.expiry.after_downgrade or Period.QUARTER
    return calendar.first_moment(calendar.end_of(period, day) + _DAY, rules.zone)


def _steps(rules: Program, held: Tier, falls: list[tuple[date, Tier]]) -> tuple[Step, ...]:
    steps = []
    for day, level in falls:
        ends_pause = held.expiry_never and not level.expiry_never
        floor = floor_after(rules, day) if ends_pause else None
        at = calendar.first_moment(day, rules.zone)
        steps.append(Step(at, level.id, level.expiry_never, floor))
        held = level
    return tuple(steps)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at), default=None)


class _Life:
    """Through which day each tier is kept, the lowest for ever, and which of them is held.

    All that was reached goes in before time does: a fall that a later day made good leads to the
    same place, since what is kept longest decides.
    """

    def __init__(self, tiers: Tiers, enrolled: date) -> None:
        self._tiers, self._enrolled = tiers, enrolled
        self._place = 0
        self._through = [_EVER, *(_NEVER for _ in tiers.levels[1:])]
        self._places = {level.id: place for place, level in enumerate(tiers.levels)}

    @property
    def level(self) -> Tier:
        """The tier that is held."""
        return self._tiers.levels[self._place]

    @property
    def kept_through(self) -> date:
        """The last day on which it is kept."""
        return self._through[self._place]

    def rise(self, reached: Reached) -> None:
        """Keep what was reached, and hold the highest of it if it is higher."""
        for name in reached.tiers:
            if (place := self._places.get(name)) is not None:
                self._through[place] = max(self._through[place], reached.kept_through)
                self._place = max(self._place, place)

    def falls(self, until: date) -> Iterator[tuple[date, Tier]]:
        """Each loss until a day: its first day, and the tier that is held from then on."""
        while self.kept_through < until:
            day = self.kept_through + _DAY
            self._place = self._below(day)
            yield day, self.level

    def _below(self, day: date) -> int:
        if self._tiers.downgrade is Downgrade.REQUALIFY:
            kept = (place for place in range(self._place) if self._through[place] >= day)
            return max(kept)
        below = self._place - 1
        # One step down it is kept as if it had been reached on that day.
        anew = windows.kept_through(self._tiers, day, self._enrolled)
        self._through[below] = max(self._through[below], anew)
        return below
