"""What happened, in one plain sentence, from the context that was pinned when it happened."""

import json
from collections.abc import Callable
from typing import Any

from loyalty_service.domain import earning
from loyalty_service.domain.ledger import Move, Transaction


def structure(transaction: Transaction) -> dict[str, Any]:
    """The pinned context as it was recorded."""
    context: dict[str, Any] = json.loads(transaction.context)
    return context


def sentence(transaction: Transaction, moves: list[Move]) -> str:
    """One English sentence about a transaction, for the customer's eyes."""
    context = structure(transaction)
    points = sum(move.points for move in moves)
    words = _SENTENCES.get(transaction.kind)
    return words(context, points) if words else f"{_words(transaction.kind).capitalize()}."


def _earned(context: dict[str, Any], points: int) -> str:
    if context["cause"] == "tier_entry":
        return f"{_count(points)} for reaching {_words(context['tier'])}."
    is_event = "event" in context
    what = _words(context["event_type"]).capitalize() if is_event else f"Order {context['order']}"
    if "explanation" not in context:
        return f"{what}: {_count(points)}."
    return f"{what}: {earning.sentence(context['explanation'], context['currency'])}"


def _clawed_back(context: dict[str, Any], points: int) -> str:
    if context["cause"] == "tier_entry_withdrawn":
        return f"{_count(points)} for reaching {_words(context['tier'])} taken back with the tier."
    return f"{_count(points)} taken back."


def _exchanged(context: dict[str, Any], points: int) -> str:
    if not points:
        return f"{context['reward_name']}, for no points."
    return f"{_count(points)} exchanged for {context['reward_name']}."


def _restored(context: dict[str, Any], points: int) -> str:
    why = "was cancelled" if context["cause"] == "cancelled" else "could not be issued"
    back = f"{_count(points)} given back: " if points else ""
    return f"{back}{context['reward_name']} {why}."


def _reversed(context: dict[str, Any], points: int) -> str:
    short = context.get("short", 0)
    spent = f" {_count(short)} had been spent already and stay yours." if short else ""
    return f"An earlier change by our staff was undone: {_words(context['reason'])}.{spent}"


def _tier_changed(context: dict[str, Any], points: int) -> str:
    before, after = context.get("from"), context.get("to")
    if context.get("cause") == "time" and before:
        return f"Your tier ended: you are {after} now." if after else "Your tier ended."
    return f"Your tier is now {after}." if after else "You have no tier now."


_SENTENCES: dict[str, Callable[[dict[str, Any], int], str]] = {
    "earn": _earned,
    "credit": lambda context, points: (
        f"{_count(points)} given by our staff: {_words(context['reason'])}."
    ),
    "debit": lambda context, points: (
        f"{_count(points)} taken by our staff: {_words(context['reason'])}."
    ),
    "redemption": _exchanged,
    "restoration": _restored,
    "reversal": _reversed,
    "maturity": lambda context, points: f"{_count(points)} became available.",
    "claw_back": _clawed_back,
    "expiry": lambda context, points: f"{_count(points)} expired unused.",
    "tier_change": _tier_changed,
    "repayment": lambda context, points: f"{_count(points)} repaid points that were owed.",
}


def _count(points: int) -> str:
    return "1 point" if points == 1 else f"{points} points"


def _words(slug: str) -> str:
    return slug.replace("_", " ")
