"""An explanation in words."""

from loyalty_service.domain import money
from loyalty_service.domain.earning.explained import Explanation, RuleShare
from loyalty_service.domain.program.document import Rounding

_ROUNDED = {
    Rounding.FLOOR: "rounded down",
    Rounding.NEAREST: "rounded to the nearest",
    Rounding.CEILING: "rounded up",
}


def sentence(explanation: Explanation, currency: str) -> str:
    """Say an explanation in one English sentence, amounts in major units."""
    shares = explanation["rules"]
    if not shares:
        return "No earning rule applies: 0 points."
    points = sum(share["points"] for share in shares)
    words = "; ".join(_words(share, currency) for share in shares)
    if len(shares) > 1:
        words = f"{words}; {_count(points)} in all"
    return f"{words}; {_available(explanation['pending_days'])}." if points else f"{words}."


def _words(share: RuleShare, currency: str) -> str:
    counted = money.format_major(share.get("counted_minor", 0), currency)
    per = money.format_major(share.get("per_minor", 1), currency)
    rate = share["points_per"].removesuffix("/1")
    unit = "point" if rate == "1" or rate.startswith("1/") else "points"
    how = _ROUNDED[Rounding(share["rounding"])]
    return (
        f"{counted} {currency.upper()} counted, {rate} {unit} per {per}, {how}: "
        f"{_count(share['points'])}"
    )


def _count(points: int) -> str:
    return "1 point" if points == 1 else f"{points} points"


def _available(pending_days: int) -> str:
    if pending_days == 0:
        return "available at once"
    return "available after 1 day" if pending_days == 1 else f"available after {pending_days} days"
