"""Two programs that somebody wrote from docs/programs.md alone: an airline, a department store."""

from datetime import date
from fractions import Fraction

from loyalty_service.domain import calendar, earning
from loyalty_service.domain.earning import EventFacts, Pins
from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import (
    Activity,
    Expiry,
    Kept,
    Metric,
    Window,
    WindowKind,
)
from loyalty_service.domain.tiers import windows

AIRLINE = parsing.parse("""\
id: airline
name: Miles
timezone: Europe/London
currency: gbp
events:
  flight: {fare: money, "upgraded?": boolean}
  hotel_night: {paid: money}
earning:
  - id: flight
    on: flight
    points: 6
    tier_points: 1
    per: 1.00
    of: fare
    rounding: floor
  - id: upgrade
    on: flight
    points: 0
    tier_points: 40
    when: event.upgraded
  - {id: hotel, on: hotel_night, points: 2, tier_points: 0, per: 1.00, of: paid, rounding: floor}
tiers:
  metric: qualifying_points
  window: {fiscal_year_from: march}
  kept: {windows: 1, plus_months: 1}
  downgrade: one_step
  levels:
    - {id: blue, name: Blue, from: 0}
    - {id: silver, name: Silver, from: 600, entry_points: 1000}
expiry:
  after_inactivity: {months: 24}
""")

STORE = parsing.parse("""\
id: store
name: Department store
timezone: America/New_York
currency: usd
earning:
  - id: purchase
    on: order
    points: 1
    per: 1.00
    counts: [merchandise]
    items: {except_categories: [gift_card]}
    rounding: floor
    pending_days: 0
  - {id: review, on: review, points: 10, times: {day: 1}}
campaigns:
  - id: reviews_by_tier
    name: Reviews are worth more
    on: [review]
    multiplier: {plus: 2, elite: 3}
  - id: event_week
    name: Event week
    from: 2027-03-01
    until: 2027-03-07
    multiplier: {member: 2, plus: 3, elite: 4}
tiers:
  metric: spend
  items: {except_categories: [gift_card]}
  window: {rolling_months: 12}
  kept: {months: 12}
  levels:
    - {id: member, name: Member, from: 0}
    - {id: plus, name: Plus, from: 350.00}
    - {id: elite, name: Elite, from: 1000.00}
expiry:
  after_inactivity: {months: 18}
""")


def test_a_flight_qualifies_and_a_night_in_a_hotel_does_not() -> None:
    flight = EventFacts("flight", {"fare": 20000, "upgraded": True})
    night = EventFacts("hotel_night", {"paid": 20000})

    flown, stayed = (earning.earn_event(AIRLINE, facts) for facts in (flight, night))

    assert (flown.points, flown.tier_credit.base_points) == (1200, 240)
    assert (stayed.points, stayed.tier_credit.base_points) == (400, 0)


def test_a_status_year_is_kept_to_the_end_of_march_a_year_later() -> None:
    tiers = AIRLINE.tiers
    assert tiers is not None

    assert tiers.metric is Metric.QUALIFYING_POINTS
    assert tiers.window == Window(WindowKind.FISCAL_YEAR, starts_in=3)
    assert tiers.kept == Kept(windows=1, plus_months=1)
    last = windows.kept_through(tiers, date(2026, 6, 10), date(2020, 5, 5))
    assert last == date(2028, 3, 31)


def test_miles_end_two_years_after_the_last_activity() -> None:
    activity = (Activity.ORDER, Activity.EVENT, Activity.REDEMPTION)

    assert AIRLINE.expiry == Expiry(24, None, None, activity=activity)
    assert calendar.last_good_day(date(2026, 6, 10), AIRLINE.expiry) == date(2028, 6, 10)


def test_a_review_is_worth_more_in_a_higher_tier() -> None:
    review = EventFacts("review", {})
    pins = [Pins(tier=tier) for tier in ("member", "plus", "elite")]

    assert [earning.earn_event(STORE, review, one).points for one in pins] == [10, 20, 30]


def test_a_week_is_worth_more_in_a_higher_tier_and_gift_cards_are_not() -> None:
    lines = (earning.Line("hat", None, 1, 5000), earning.Line("card", "gift_card", 1, 9900))
    order = earning.OrderFacts("usd", lines, 0, 0, 0)
    pins = [Pins(tier=tier) for tier in ("member", "plus", "elite")]

    during = [earning.earn(STORE, order, one, on=date(2027, 3, 7)) for one in pins]
    after = [earning.earn(STORE, order, one, on=date(2027, 3, 8)) for one in pins]

    assert [one.points for one in during] == [100, 150, 200]
    assert [one.points for one in after] == [50, 50, 50]
    assert {one.tier_credit.spend_minor for one in during} == {5000}


def test_the_stores_points_end_18_months_after_the_last_activity() -> None:
    assert STORE.expiry is not None and STORE.expiry.activity
    assert calendar.last_good_day(date(2026, 8, 31), STORE.expiry) == date(2028, 2, 29)
    assert STORE.tiers is not None
    assert [level.multiplier for level in STORE.tiers.levels] == [Fraction(1)] * 3
