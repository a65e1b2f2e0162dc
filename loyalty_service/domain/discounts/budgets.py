"""Budgets of offers: counters of a calendar month, in money and in number, for all members."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from loyalty_service import canonical
from loyalty_service.domain import calendar, counters, money
from loyalty_service.domain.program.document import Offer, Program, Span
from loyalty_service.errors import BudgetExceeded


class Share(NamedTuple):
    """What one discount takes of a counter, and how far that may go; minor units or a number."""

    counter: str
    amount: int
    at_most: int


def shares(offer: Offer, at: datetime, rules: Program) -> list[Share]:
    """What a discount given at `at` takes of the offer's budget, in the order of the names."""
    name = f"offer:{offer.id}:{calendar.month_of(at, rules.zone)}"
    budget, found = offer.budget, []
    if budget.month_count is not None:
        found.append(Share(f"{name}:count", 1, budget.month_count))
    if budget.month_minor is not None:
        found.append(Share(f"{name}:minor", offer.cost_minor, budget.month_minor))
    return found


def use(
    session: Session, program_id: str, offer: Offer, at: datetime, rules: Program, discount_id: str
) -> None:
    """Take what a discount costs from the budget of the month; raises BudgetExceeded.

    Nothing is taken then. The counters come last: all members' discounts share their rows.
    """
    for share in shares(offer, at, rules):
        most = share.at_most
        if not counters.use(
            session, program_id, share.counter, share.amount, limit=most, cause_id=discount_id
        ):
            left = max(0, most - counters.used(session, program_id, share.counter))
            counters.give_back(session, program_id, discount_id)
            raise _exceeded(offer, share, left, at, rules)


def _exceeded(
    offer: Offer, share: Share, left: int, at: datetime, rules: Program
) -> BudgetExceeded:
    bounds = calendar.span_around(at, Span.MONTH, rules.zone)
    assert bounds, "a month is a stretch of the calendar"
    _, opens_at = bounds
    month = calendar.month_of(at, rules.zone)
    return BudgetExceeded(
        f"Of the {_said(share, share.at_most, rules)} that {offer.id} has in {month}, "
        f"{_said(share, left, rules)} are left and one takes {_said(share, share.amount, rules)}; "
        f"the budget opens again at {canonical.timestamp(opens_at)}.",
        param="offer",
    )


def _said(share: Share, figure: int, rules: Program) -> str:
    if share.counter.endswith(":count"):
        return str(figure)
    return f"{money.format_major(figure, rules.currency)} {rules.currency}"
