"""What happened, in one plain sentence, from the context that was pinned when it happened."""

import json
from typing import Any

from loyalty_service.domain import earning
from loyalty_service.domain.ledger import Transaction

_BY_TIME = {
    "maturity": "Pending points became available.",
    "expiry": "Points expired unused.",
    "repayment": "Points that became available repaid points owed.",
}


def structure(transaction: Transaction) -> dict[str, Any]:
    """The pinned context as it was recorded."""
    context: dict[str, Any] = json.loads(transaction.context)
    return context


def sentence(transaction: Transaction) -> str:
    """One English sentence about a transaction."""
    context = structure(transaction)
    if transaction.kind == "earn":
        return f"Order {context['order']}: " + earning.sentence(
            context["explanation"], context["currency"]
        )
    if transaction.kind in ("credit", "debit"):
        verb = "given" if transaction.kind == "credit" else "taken"
        return f"Points {verb} by our staff: {_words(context['reason'])}."
    if transaction.kind == "redemption":
        return f"Points exchanged for reward {context['reward']} ({context['redemption']})."
    if transaction.kind == "restoration":
        why = "was cancelled" if context["cause"] == "cancelled" else "could not be issued"
        return f"Points given back because redemption {context['redemption']} {why}."
    if transaction.kind == "reversal":
        return f"Reverses {context['reverses']}: {_words(context['reason'])}.{_short(context)}"
    return _BY_TIME.get(transaction.kind, f"{_words(transaction.kind).capitalize()}.")


def _words(slug: str) -> str:
    return slug.replace("_", " ")


def _short(context: dict[str, Any]) -> str:
    short = context.get("short", 0)
    return f" {short} points were already spent and stay with the member." if short else ""
