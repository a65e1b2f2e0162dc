"""Disputes: a customer's bank takes the money, and gives it back where the shop wins."""

from typing import Any

from loyalty_service.sandbox import events, payments
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing
from loyalty_service.sandbox.state import State, new_id

_EIGHT_DAYS_SECONDS = 8 * 86400


def open_(
    state: State, charge_id: str, amount: int | None = None, reason: str = "general"
) -> Resource:
    """Dispute a charge, wholly where no amount is given; the money leaves at once."""
    charge = payments.charge(state, charge_id)
    if charge["disputed"]:
        raise Refusal(f"Charge {charge_id} is disputed already.")
    amount = charge["amount"] if amount is None else amount
    if not 1 <= amount <= charge["amount"]:
        raise Refusal("A dispute is about what was paid, or a part of it.", param="amount")
    dispute = state.put("disputes", _dispute(state, charge, amount, reason))
    state.put("charges", charge | {"disputed": True})
    events.record(state, "charge.dispute.created", dispute)
    events.record(state, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(state: State, dispute_id: str, outcome: str) -> Resource:
    """End a dispute, `won` or `lost`; a won one brings the money back."""
    dispute = retrieve(state, dispute_id)
    if outcome not in ("won", "lost"):
        raise Refusal("A dispute is won or lost.", param="outcome")
    if dispute["status"] in ("won", "lost"):
        raise Refusal(f"Dispute {dispute_id} is closed already.")
    closed = state.put("disputes", dispute | {"status": outcome})
    events.record(state, "charge.dispute.closed", closed, dispute)
    if outcome == "won":
        events.record(state, "charge.dispute.funds_reinstated", closed)
    return closed


def retrieve(state: State, dispute_id: str) -> Resource:
    """Return a dispute."""
    dispute = state.get("disputes", dispute_id)
    if dispute is None:
        raise missing("dispute", dispute_id, param="id", status=404)
    return dispute


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of disputes, newest first."""
    every = state.every("disputes")
    return page_of(every, params, url="/v1/disputes", filters="charge payment_intent")


def _dispute(state: State, charge: Resource, amount: int, reason: str) -> Resource:
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": state.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"customer_name": None, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": state.now() + _EIGHT_DAYS_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }
