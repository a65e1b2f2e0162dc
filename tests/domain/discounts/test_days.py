"""What the clock makes due, over lives drawn by chance: who looks only when told misses nothing."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain import calendar
from loyalty_service.domain.discounts.days import Life, outlook
from loyalty_service.domain.program import Program, parsing
from tests.domain.discounts.offers import BY_THE_CLOCK, with_only

BERLIN = parsing.parse(with_only(BY_THE_CLOCK))
SAMOA = parsing.parse(
    with_only(BY_THE_CLOCK).replace("timezone: Europe/Berlin", "timezone: Pacific/Apia")
)
DAY = timedelta(days=1)
DAYS = st.dates(date(2010, 1, 1), date(2013, 12, 31))
LIVES = st.builds(
    Life,
    born=st.none() | st.dates(date(1950, 1, 1), date(2000, 12, 31)) | st.just(date(1996, 2, 29)),
    enrolled=DAYS,
    last_order_at=st.none() | st.builds(datetime.combine, DAYS, st.times(), st.just(UTC)),
)


@given(life=LIVES, rules=st.sampled_from([BERLIN, SAMOA]))
def test_whoever_looks_only_when_told_finds_what_every_day_brings(
    life: Life, rules: Program
) -> None:
    mornings = [
        calendar.first_moment(life.enrolled + offset * DAY, rules.zone) for offset in range(801)
    ]
    daily = {due.cause for at in mornings[:-1] for due in outlook(life, rules, at).due}
    assert told(life, rules, mornings[0], mornings[-1]) == daily


@given(life=LIVES)
def test_nothing_is_due_before_its_day_nor_a_week_after(life: Life) -> None:
    last_order = (
        calendar.local_date(life.last_order_at, BERLIN.zone) if life.last_order_at else None
    )
    day = max(life.enrolled, last_order or life.enrolled) + 180 * DAY
    for offset in range(-3, 10):
        at = calendar.first_moment(day + offset * DAY, BERLIN.zone)
        lapses = [due for due in outlook(life, BERLIN, at).due if due.offer.id == "back"]
        since = (day + offset * DAY - (last_order or date.max)).days - 180
        assert bool(lapses) is (last_order is not None and 0 <= since <= 6)


@given(life=LIVES)
def test_the_next_look_is_always_later_than_now(life: Life) -> None:
    now = datetime(2012, 5, 5, 12, 30, tzinfo=UTC)
    next_at = outlook(life, BERLIN, now).next_at
    assert next_at is not None and next_at > now


def told(life: Life, rules: Program, at: datetime, until: datetime) -> set[str]:
    """The causes that are found by looking when the last look said so."""
    found: set[str] = set()
    while at < until:
        seen = outlook(life, rules, at)
        found |= {due.cause for due in seen.due}
        assert seen.next_at is not None
        at = seen.next_at
    return found
