"""Offers that tests put in the place of the default program's own, and how their budgets stand."""

from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.domain import calendar, program
from loyalty_service.domain.counters import Allotment
from tests.shop import DEFAULT_PROGRAM, Shop

BY_HAND = """\
  - id: tea
    name: A tea on the house
    trigger: staff
    type: custom
    gives: a tea
    code_lifetime_days: 7
  - id: seven
    name: Seven off
    trigger: staff
    type: amount_off
    amount_off: 7.00
    budget: {month: 10.00}
  - id: rare
    name: Only now and then
    trigger: staff
    type: custom
    gives: a cake
    cooldown: {days: 30}
"""
THREE_A_MONTH = """\
  - id: tea
    name: A tea on the house
    trigger: staff
    type: custom
    gives: a tea
    budget: {month_count: 3}
"""


def with_only(offers: str, document: str = DEFAULT_PROGRAM) -> str:
    """A document with other offers."""
    before, after = document.split("\nthank_you:\n")
    _, end = after.split("\n\n", 1)
    return f"{before}\nthank_you:\n{offers}\n{end}"


def this_month(shop: Shop) -> str:
    """The month whose budget pays now."""
    return calendar.month_of(shop.now(), ZoneInfo("Europe/Berlin"))


def budget_left(shop: Shop, offer_id: str, month: str | None = None) -> int:
    """What is left of an offer's money in a month, by default this one, from allotments alone."""

    def work(session: Session) -> int:
        rules = program.in_force(session, shop.program_id).rules
        offer = rules.offer(offer_id)
        assert offer is not None and offer.budget.month_minor is not None
        name = f"offer:{offer_id}:{month or this_month(shop)}:minor"
        used = select(func.coalesce(func.sum(Allotment.amount), 0)).where(
            Allotment.program_id == shop.program_id, Allotment.counter == name
        )
        return offer.budget.month_minor - int(session.scalar(used) or 0)

    with shop.app.app_context():
        return db.read(work)


BY_FACTS = """\
  - id: platinum
    name: Welcome to Platinum
    trigger: {tier_reached: platinum}
    type: custom
    gives: a brush
  - id: third
    name: Your third order
    trigger: {nth_order: 3}
    type: free_shipping
  - id: ears
    name: Let us make it up to you
    trigger: {low_feedback: {at_most: 2}}
    type: custom
    gives: a call
    cooldown: {days: 90}
"""

BY_THE_CLOCK = """\
  - {id: birthday, name: A present, trigger: birthday, type: custom, gives: a cake}
  - {id: year, name: A year, trigger: anniversary, type: free_shipping}
  - id: back
    name: We missed you
    trigger: {lapsed_days: 180}
    type: amount_off
    amount_off: 5.00
    settlement: app_applied
    budget: {month_count: 2}
"""
