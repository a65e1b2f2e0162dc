"""What the machine draws from: people, points, waits, prices, and how programs differ."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.machines.days import EXPIRIES
from tests.machines.programs import LIMITS, PRICES, Rules, Shape

A_MOMENT = timedelta(milliseconds=1)
AN_INSTANT = timedelta(microseconds=1)
# Days on which the clocks change soon, a leap-less February, the turn of a year.
STARTS = ("2026-03-20", "2026-04-18", "2026-10-20", "2026-12-28", "2027-02-24")
HOURS = ("00:00", "09:30", "22:59")
# Nobody is closed before this: a life without earning teaches little.
FEW_ACTS = 12

rules_drawn = st.builds(
    Rules,
    when_spent=st.sampled_from(("allow_debt", "clamp")),
    past_expiry=st.sampled_from(("original_expiry", "grace_days", "reissue")),
    pending_days=st.sampled_from((0, 3)),
    expiry=st.sampled_from(EXPIRIES),
)
shapes = st.builds(Shape, st.sampled_from(LIMITS), st.booleans())
# How many creams, for how much each; and a soap, or none.
baskets = st.tuples(
    st.integers(1, 3), st.integers(0, 2000), st.sampled_from((0, 0, 333, 1000))
) | st.just((1, 1999, 1))
discounts = st.integers(0, 99) | st.sampled_from((1500, 9999))
# What comes back: tenths of the money, or so many creams or soaps.
given_back = st.integers(1, 11) | st.tuples(
    st.sampled_from(("cream", "cream", "soap", "towel")), st.integers(1, 3)
)
who = st.integers(0, 1)
which = st.sampled_from((0, 0, 1, 2, 5))
person = st.sampled_from(("admin", "admin", "ana", "ben"))
few_points = st.integers(1, 35) | st.sampled_from((7, 20, 30, 31))
points_given = st.one_of(
    few_points, few_points, st.just(10**12), few_points.map(lambda points: -points)
)
hours = st.integers(0, 12 * 24).map(lambda hours: timedelta(hours=hours))
# How long after their end points come back: not so late, in that very instant, or some hours.
later = st.sampled_from((None, None, timedelta(0))) | hours
long_ago = st.integers(0, 45).map(lambda days: timedelta(days=days))
waits = st.one_of(hours, hours, st.timedeltas(AN_INSTANT, timedelta(days=3)), long_ago)
# The shop's clock may be ahead of ours by up to a minute.
ahead = st.sampled_from((AN_INSTANT, timedelta(seconds=60), timedelta(seconds=61)))
placed_ago = st.one_of(st.just(timedelta(0)), hours, long_ago, ahead.map(lambda by: -by))
# After how long, which tier, does it hold back the expiry of points, and until when they last then.
tiers = st.lists(
    st.tuples(
        waits.map(lambda wait: wait + AN_INSTANT),
        st.sampled_from((None, "silver", "gold")),
        st.booleans(),
        st.none() | waits,
    ),
    min_size=1,
    max_size=3,
)
prices = st.sampled_from([(reward, points) for reward in PRICES for points in PRICES[reward]])
around = st.sampled_from((-AN_INSTANT, timedelta(0), AN_INSTANT))
