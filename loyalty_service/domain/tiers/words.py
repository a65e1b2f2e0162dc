"""What is said of tiers: one function a sentence, of plain figures and names. English."""

from datetime import date

from loyalty_service.domain import money
from loyalty_service.domain.program.document import Metric

_MONTHS = (
    "January February March April May June July August September October November December"
).split()


def amount(metric: Metric, credits: int, currency: str) -> str:
    """So many credits with their unit: "58.00 EUR", "1 point", "3 orders"."""
    if metric is Metric.SPEND:
        return f"{money.format_major(credits, currency)} {currency.upper()}"
    unit = "order" if metric is Metric.ORDERS else "point"
    return f"{credits} {unit}" if credits == 1 else f"{credits} {unit}s"


def to_reach(missing: str, by: date | None, tier: str) -> str:
    """What is missing for a tier, and until when it counts."""
    until = f" by {_day(by)}" if by else ""
    return f"{missing} more{until} for {tier}; spending points does not lower it."


def reached_next(tier: str) -> str:
    """Nothing is missing: the rules have changed since something last counted."""
    return f"You have enough for {tier}: it comes with the next order that counts."


def to_keep(missing: str, by: date, tier: str, until: date) -> str:
    """What is missing to keep a tier after `until`."""
    beyond = "" if by == until else f" after {_day(until)}"
    return f"{missing} more by {_day(by)} keeps {tier}{beyond}."


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
