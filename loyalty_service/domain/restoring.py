"""Points that come back after their lot's date: what the program does with them."""

from datetime import datetime

from loyalty_service.domain import calendar, expiry, program
from loyalty_service.domain.ledger.state import WhenExpired
from loyalty_service.domain.program.document import PastExpiry


def when_expired(now: datetime, rules: program.Program, tier: str | None) -> WhenExpired:
    """The program's policy as dates: expire again at once, live on for a while, or begin anew.

    What begins anew ends as other points earned in the tier that is held now.
    """
    policy = rules.restored_points
    if policy.past_expiry is PastExpiry.GRACE_DAYS:
        day = calendar.matures_at(now, policy.grace_days, rules.zone)
        return WhenExpired(new_expiry=day, opens_a_lot=True)
    if policy.past_expiry is PastExpiry.REISSUE:
        fresh = expiry.lot_end(rules, tier, now)
        return WhenExpired(new_expiry=fresh, opens_a_lot=True, earned_anew=True)
    return WhenExpired()
