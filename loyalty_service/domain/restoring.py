"""Points that come back after their lot's date: what the program does with them."""

from datetime import datetime

from loyalty_service.domain import calendar, program
from loyalty_service.domain.ledger.returning import WhenExpired
from loyalty_service.domain.program.document import PastExpiry


def when_expired(now: datetime, rules: program.Program) -> WhenExpired:
    """The program's policy as dates: expire again at once, live on for a while, or begin anew."""
    policy = rules.restored_points
    if policy.past_expiry is PastExpiry.GRACE_DAYS:
        day = calendar.matures_at(now, policy.grace_days, rules.zone)
        return WhenExpired(new_expiry=day, opens_a_lot=True)
    if policy.past_expiry is PastExpiry.REISSUE:
        fresh = calendar.expires_at(now, rules.expiry, rules.zone)
        return WhenExpired(new_expiry=fresh, opens_a_lot=True, earned_anew=True)
    return WhenExpired()
