"""Local days as instants: clock changes, skipped and repeated days, ends of periods."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain import calendar
from loyalty_service.domain.program.document import Expiry, Period

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER_AFTER_A_YEAR = Expiry(months=12, days=None, until_end_of=Period.QUARTER)
MICROSECOND = timedelta(microseconds=1)

zones = st.sampled_from(sorted(zoneinfo.available_timezones())).map(ZoneInfo)
days = st.dates(date(1840, 1, 1), date(2150, 12, 31))
noon = datetime(2000, 1, 1, 12, tzinfo=UTC)
instants = st.timedeltas(timedelta(days=-50000), timedelta(days=50000)).map(noon.__add__)
# A few hours, which a month's end or a clock change may lie in, or long.
waits = st.timedeltas(timedelta(0), timedelta(days=3)) | st.timedeltas(
    timedelta(0), timedelta(days=900)
)
expiries = st.builds(
    Expiry,
    months=st.integers(1, 60),
    days=st.none(),
    until_end_of=st.sampled_from([None, *Period]),
) | st.builds(
    Expiry,
    months=st.none(),
    days=st.integers(1, 900),
    until_end_of=st.sampled_from([None, *Period]),
)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        # An ordinary midnight, in winter and in summer.
        ("Europe/Berlin", "2026-01-15", "2026-01-14T23:00"),
        ("Europe/Berlin", "2026-07-15", "2026-07-14T22:00"),
        # The clock jumps from midnight to one: midnight does not exist.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00"),
        # The gap begins half an hour before midnight: 23:30 becomes 00:30.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30"),
        # The 30th was never: the first moment after it is the 31st's.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
        # Midnight comes twice: one minute after it the clock goes back an hour.
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30"),
        # Midnight comes twice: one o'clock becomes midnight again.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00"),
        # Nearly the whole day comes twice.
        ("Pacific/Kwajalein", "1969-09-30", "1969-09-29T13:00"),
    ],
)
def test_a_day_begins_at_its_first_moment(zone: str, day: str, first: str) -> None:
    assert calendar.first_moment(date.fromisoformat(day), ZoneInfo(zone)) == instant(first)


@given(zones, days)
def test_the_first_moment_lies_in_its_day_unless_the_zone_skipped_it(
    zone: ZoneInfo, day: date
) -> None:
    first = calendar.first_moment(day, zone)

    shown = calendar.local_date(first, zone)
    if shown != day:
        assert shown > day
        around = (first + timedelta(minutes=15 * step) for step in range(-200, 200))
        assert all(calendar.local_date(at, zone) != day for at in around)


@given(zones, days)
def test_just_before_the_first_moment_it_is_an_earlier_day(zone: ZoneInfo, day: date) -> None:
    before = calendar.first_moment(day, zone) - MICROSECOND

    assert calendar.local_date(before, zone) < day


@given(zones, days)
def test_a_later_day_never_begins_earlier(zone: ZoneInfo, day: date) -> None:
    later = calendar.first_moment(day + timedelta(days=1), zone)

    assert calendar.first_moment(day, zone) <= later


def test_every_clock_change_of_every_zone_over_midnight_keeps_the_rule() -> None:
    skipped = set()
    for name in sorted(zoneinfo.available_timezones()):
        zone = ZoneInfo(name)
        for day in (date(2011, 12, 30), date(1994, 12, 31), date(1995, 1, 1), date(1993, 8, 21)):
            first = calendar.first_moment(day, zone)
            assert calendar.local_date(first - MICROSECOND, zone) < day
            if calendar.local_date(first, zone) != day:
                skipped.add((name, day.isoformat()))

    assert ("Pacific/Apia", "2011-12-30") in skipped
    assert ("Europe/Berlin", "2011-12-30") not in skipped


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        calendar.local_date(datetime(2026, 1, 1), BERLIN)  # noqa: DTZ001


def test_a_month_is_named_by_the_local_calendar() -> None:
    assert calendar.month_of(instant("2026-10-31T22:59:59"), BERLIN) == "2026-10"
    assert calendar.month_of(instant("2026-10-31T23:00:00"), BERLIN) == "2026-11"


def test_points_without_waiting_are_available_at_once() -> None:
    at = instant("2026-11-21T10:15:30.123456")

    assert calendar.matures_at(at, 0, BERLIN) == at


@pytest.mark.parametrize(
    ("at", "pending_days", "available"),
    [
        ("2026-11-21T10:00", 1, "2026-11-22T23:00"),
        ("2026-11-21T10:00", 14, "2026-12-05T23:00"),
        # Late in the evening in UTC it is the next day in Berlin already.
        ("2026-11-21T23:30", 14, "2026-12-06T23:00"),
        # Summer time ends on the way: the day is local, so an hour more passes.
        ("2026-10-20T10:00", 14, "2026-11-03T23:00"),
    ],
)
def test_points_wait_through_whole_local_days(at: str, pending_days: int, available: str) -> None:
    assert calendar.matures_at(instant(at), pending_days, BERLIN) == instant(available)


@pytest.mark.parametrize("day", range(1, 32))
def test_points_of_any_day_of_january_last_to_the_end_of_the_next_years_first_quarter(
    day: int,
) -> None:
    earned_at = datetime(2022, 1, day, 12, tzinfo=UTC)

    expires_at = calendar.expires_at(earned_at, QUARTER_AFTER_A_YEAR, BERLIN)

    assert expires_at is not None
    assert expires_at.astimezone(BERLIN).isoformat() == "2023-04-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("months", "days_", "until", "earned", "last"),
    [
        (1, None, None, "2026-01-31", "2026-02-28"),
        (1, None, None, "2028-01-31", "2028-02-29"),
        (12, None, None, "2028-02-29", "2029-02-28"),
        (11, None, None, "2026-01-15", "2026-12-15"),
        (12, None, None, "2026-12-01", "2027-12-01"),
        (None, 30, None, "2026-02-01", "2026-03-03"),
        (6, None, Period.MONTH, "2026-08-03", "2027-02-28"),
        (3, None, Period.QUARTER, "2026-09-30", "2026-12-31"),
        (3, None, Period.QUARTER, "2026-10-01", "2027-03-31"),
        (12, None, Period.YEAR, "2026-01-01", "2027-12-31"),
        (None, 1, Period.MONTH, "2026-04-30", "2026-05-31"),
    ],
)
def test_the_last_good_day_follows_the_calendar(
    months: int | None, days_: int | None, until: Period | None, earned: str, last: str
) -> None:
    expiry = Expiry(months=months, days=days_, until_end_of=until)

    assert calendar.last_good_day(date.fromisoformat(earned), expiry) == date.fromisoformat(last)


def test_points_that_never_expire_have_no_end() -> None:
    assert calendar.expires_at(instant("2026-11-21T10:00"), None, BERLIN) is None


@given(days, st.integers(0, 400), expiries)
def test_points_of_a_later_day_never_end_earlier(day: date, later: int, expiry: Expiry) -> None:
    assert calendar.last_good_day(day, expiry) <= calendar.last_good_day(
        day + timedelta(days=later), expiry
    )


@given(instants, zones, expiries)
def test_points_end_where_the_day_after_the_last_good_one_begins(
    at: datetime, zone: ZoneInfo, expiry: Expiry
) -> None:
    last = calendar.last_good_day(calendar.local_date(at, zone), expiry)

    expires_at = calendar.expires_at(at, expiry, zone)

    assert expires_at is not None and expires_at > at
    assert calendar.local_date(expires_at - MICROSECOND, zone) <= last
    assert calendar.local_date(expires_at, zone) > last


@given(instants, zones, st.integers(1, 40))
def test_waiting_points_are_not_available_on_the_last_day_of_waiting(
    at: datetime, zone: ZoneInfo, pending_days: int
) -> None:
    matures_at = calendar.matures_at(at, pending_days, zone)
    last = calendar.local_date(at, zone) + timedelta(days=pending_days)

    assert calendar.local_date(matures_at - MICROSECOND, zone) <= last
    assert calendar.local_date(matures_at, zone) > last


@given(instants, waits, zones, expiries)
def test_points_of_a_later_moment_never_end_earlier(
    at: datetime, later: timedelta, zone: ZoneInfo, expiry: Expiry
) -> None:
    ends, then = (calendar.expires_at(moment, expiry, zone) for moment in (at, at + later))

    assert ends is not None and then is not None
    assert ends <= then


@given(instants, waits, zones, st.integers(0, 40))
def test_points_of_a_later_moment_are_never_available_earlier(
    at: datetime, later: timedelta, zone: ZoneInfo, pending_days: int
) -> None:
    first, then = (calendar.matures_at(moment, pending_days, zone) for moment in (at, at + later))

    assert at <= first <= then
    assert first <= calendar.matures_at(at, pending_days + 1, zone)


@given(instants, zones)
def test_an_instant_is_the_same_wherever_it_is_told(at: datetime, zone: ZoneInfo) -> None:
    abroad = at.astimezone(zone)

    assert calendar.local_date(abroad, BERLIN) == calendar.local_date(at, BERLIN)
    assert calendar.matures_at(abroad, 3, BERLIN) == calendar.matures_at(at, 3, BERLIN)
    assert calendar.month_of(abroad, BERLIN) == calendar.local_date(at, BERLIN).isoformat()[:7]


@given(expiries, st.dates(date(2000, 1, 1), date(2130, 12, 31)))
def test_no_points_live_shorter_than_the_shortest_life(expiry: Expiry, day: date) -> None:
    life_days = (calendar.last_good_day(day, expiry) - day).days

    assert calendar.shortest_life_days(expiry) <= life_days


def test_the_shortest_life_knows_the_century_without_a_leap_day() -> None:
    four_years = Expiry(months=48, days=None, until_end_of=None)

    assert calendar.shortest_life_days(four_years) == 1460
