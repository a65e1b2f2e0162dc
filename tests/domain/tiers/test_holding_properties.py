"""Holding tiers, over any credits, rules and moments."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.ledger.standing import Standing
from loyalty_service.domain.program.document import (
    Downgrade,
    Kept,
    Period,
    Program,
    Tier,
    Tiers,
    Window,
    WindowKind,
)
from loyalty_service.domain.tiers.counting import Credit
from loyalty_service.domain.tiers.holding import advanced, hold, standing, tier_of
from tests.domain.tiers.rules import BEAUTY, LIFETIME, credit, rules

FIRST = date(2026, 1, 1)
DAYS = 900
LEVELS = tuple(
    Tier(name, name, 10 * place, expiry_never=name in "bd") for place, name in enumerate("abcd")
)

fixed = st.sampled_from(
    [Window(WindowKind.CALENDAR_YEAR), Window(WindowKind.ANNIVERSARY)]
    + [Window(WindowKind.FISCAL_YEAR, starts_in=n) for n in (3, 9)]
)
in_windows = st.tuples(
    fixed, st.builds(Kept, windows=st.integers(0, 2), plus_months=st.integers(0, 3))
)
in_months = st.tuples(
    st.one_of(fixed, st.builds(Window, st.just(WindowKind.ROLLING), months=st.integers(1, 14))),
    st.builds(Kept, months=st.integers(0, 14), until_end_of=st.sampled_from([None, *Period])),
)
for_ever = st.just((LIFETIME, Kept()))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Rules with some of four tiers, in a zone whose midnights are not always there."""
    window, kept = draw(st.one_of(in_windows, in_months, for_ever))
    tiers = Tiers(
        metric=BEAUTY.metric,
        window=window,
        kept=kept,
        levels=LEVELS[: draw(st.integers(1, 4))],
        grace_days=draw(st.sampled_from([0, 0, 30])),
        downgrade=draw(st.sampled_from(Downgrade)),
    )
    return rules(tiers, timezone=draw(st.sampled_from(["Europe/Berlin", "Africa/Cairo"])))


offsets = st.integers(0, DAYS)
days = offsets.map(lambda offset: FIRST + timedelta(days=offset))
versions = st.tuples(programs(), programs()).map(lambda two: dict(enumerate(two, start=1)))
credits_ = st.lists(
    st.builds(
        lambda day, amount, version: credit(day.isoformat(), amount, version),
        days,
        st.integers(-9, 25),
        st.integers(1, 2),
    ),
    max_size=12,
)
START = datetime(2026, 1, 1, tzinfo=UTC)
enrolments = st.integers(-24 * DAYS, 24 * DAYS).map(lambda hours: START + timedelta(hours=hours))
# When every credit has happened.
moments = st.integers(24 * (DAYS + 1), 24 * (DAYS + 2000)).map(
    lambda hours: START + timedelta(hours=hours)
)


@given(st.data(), credits_, versions, enrolments, moments)
def test_a_tier_does_not_depend_on_the_order_of_credits(
    data: st.DataObject, of: list[Credit], known: dict[int, Program], since: datetime, at: datetime
) -> None:
    otherwise = data.draw(st.permutations(of))
    assert hold(of, known, since, at) == hold(otherwise, known, since, at)


@given(credits_, versions, enrolments, moments)
def test_a_tier_depends_on_the_net_of_a_day_alone(
    of: list[Credit], known: dict[int, Program], since: datetime, at: datetime
) -> None:
    nothing = [each for one in of for each in (_negated(one), one)]
    assert hold([*of, *nothing], known, since, at) == hold(of, known, since, at)


@given(credits_, versions, enrolments, moments, moments)
def test_the_tier_at_a_moment_is_where_the_steps_lead_that_were_known_before(
    of: list[Credit], known: dict[int, Program], since: datetime, one: datetime, other: datetime
) -> None:
    first, then = sorted((one, other))
    before, after = hold(of, known, since, first), hold(of, known, since, then)
    stands = advanced(standing(Standing(), before, known[2], first), then)
    assert (after.tier, after.steps) == (stands.tier, stands.steps)
    if stands.since != first:
        # Time took it there: what stands is also what a fact of that moment would make of it.
        assert stands.expiry_paused == tier_of(known[2], after.tier).expiry_never


@given(credits_, versions, enrolments, moments)
def test_steps_lead_down_one_after_the_other(
    of: list[Credit], known: dict[int, Program], since: datetime, at: datetime
) -> None:
    held = hold(of, known, since, at)
    names = [held.tier, *(step.tier for step in held.steps)]
    assert all(higher > lower for higher, lower in pairwise(names))
    times = [at, *(step.at for step in held.steps)]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert not held.steps or held.kept_until == held.steps[0].at


@given(credits_, programs(), enrolments, moments, days, st.integers(1, 30))
def test_one_credit_more_never_takes_a_tier(
    of: list[Credit], program: Program, since: datetime, at: datetime, day: date, amount: int
) -> None:
    mine = [one._replace(program_version=1) for one in of]
    more = [*mine, credit(day.isoformat(), amount)]
    before, after = (hold(each, {1: program}, since, at) for each in (mine, more))
    assert after.tier >= before.tier


@given(credits_, programs(), enrolments, moments)
def test_who_falls_step_by_step_is_never_below_who_requalifies(
    of: list[Credit], program: Program, since: datetime, at: datetime
) -> None:
    assert program.tiers is not None
    mine = [one._replace(program_version=1) for one in of]
    slow, fast = (
        hold(mine, {1: replace(program, tiers=replace(program.tiers, downgrade=how))}, since, at)
        for how in (Downgrade.ONE_STEP, Downgrade.REQUALIFY)
    )
    assert slow.tier >= fast.tier


def _negated(one: Credit) -> Credit:
    figures: Iterable[int] = (-figure for figure in one[2:])
    return Credit(one.day, one.program_version, *figures)
