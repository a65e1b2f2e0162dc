"""Budgets of offers: counters of a calendar month, in money and in number, for all members."""

from collections.abc import Mapping
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

    def left(self, used: int) -> int:
        """What the counter has left; a budget may be lowered below what is taken already."""
        return max(0, self.at_most - used)


class Left(NamedTuple):
    """What is left of an offer's budget in a month, such as "2026-03"; None where that is no limit.

    `opens_at` is the first moment of the next month.
    """

    month: str
    opens_at: datetime
    number: int | None
    minor: int | None


def shares(offer: Offer, at: datetime, rules: Program) -> list[Share]:
    """What a discount given at `at` takes of the offer's budget, in the order of the names."""
    name = f"offer:{offer.id}:{calendar.month_of(at, rules.zone)}"
    budget, found = offer.budget, []
    if budget.month_count is not None:
        found.append(Share(f"{name}:count", 1, budget.month_count))
    if budget.month_minor is not None:
        found.append(Share(f"{name}:minor", offer.cost_minor, budget.month_minor))
    return found


def opens_at(at: datetime, rules: Program) -> datetime:
    """When budgets open again: the first moment of the next month."""
    bounds = calendar.span_around(at, Span.MONTH, rules.zone)
    assert bounds, "a month is a stretch of the calendar"
    return bounds[1]


def left(offer: Offer, at: datetime, rules: Program, used: Mapping[str, int]) -> Left | None:
    """What is left of an offer's budget of the month; None where it has none. Pure.

    `used` says by name how much of each counter is used; one that is missing is unused.
    """
    found = {
        share.counter.endswith(":count"): share.left(used.get(share.counter, 0))
        for share in shares(offer, at, rules)
    }
    month = calendar.month_of(at, rules.zone)
    return Left(month, opens_at(at, rules), found.get(True), found.get(False)) if found else None


def refusal(
    offer: Offer, at: datetime, rules: Program, used: Mapping[str, int]
) -> BudgetExceeded | None:
    """Why a budget does not pay for one more; None where it does. Pure; `used` as of `left`."""
    for share in shares(offer, at, rules):
        there = share.left(used.get(share.counter, 0))
        if there < share.amount:
            return _exceeded(offer, share, there, at, rules)
    return None


def refused(
    session: Session, program_id: str, offer: Offer, at: datetime, rules: Program
) -> BudgetExceeded | None:
    """Why a budget does not pay for one more as it stands; None where it does. Nothing is taken."""
    names = [share.counter for share in shares(offer, at, rules)]
    return refusal(offer, at, rules, counters.used_of(session, program_id, names))


def take(session: Session, program_id: str, share: Share, discount_id: str) -> bool:
    """Take a share of its counter; False where that has too little left.

    Comes last in a transaction: all members' discounts share the counter's row.
    """
    name, amount, most = share
    return counters.use(session, program_id, name, amount, limit=most, cause_id=discount_id)


def use(
    session: Session, program_id: str, offer: Offer, at: datetime, rules: Program, discount_id: str
) -> None:
    """Take what a discount costs from the budget of the month; raises BudgetExceeded.

    The transaction must not be committed then.
    """
    for share in shares(offer, at, rules):
        if not take(session, program_id, share, discount_id):
            there = share.left(counters.used(session, program_id, share.counter))
            raise _exceeded(offer, share, there, at, rules)


def _exceeded(
    offer: Offer, share: Share, there: int, at: datetime, rules: Program
) -> BudgetExceeded:
    month = calendar.month_of(at, rules.zone)
    return BudgetExceeded(
        f"Of the {_said(share, share.at_most, rules)} that {offer.id} has in {month}, "
        f"{_said(share, there, rules)} are left and one takes {_said(share, share.amount, rules)}; "
        f"the budget opens again at {canonical.timestamp(opens_at(at, rules))}.",
        param="offer",
    )


def _said(share: Share, figure: int, rules: Program) -> str:
    if share.counter.endswith(":count"):
        return str(figure)
    return f"{money.format_major(figure, rules.currency)} {rules.currency}"
