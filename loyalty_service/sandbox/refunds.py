"""Refunds: whole or in parts, never more than was paid; one may fail at the customer's bank."""

from typing import Any

from loyalty_service.sandbox import events, payments
from loyalty_service.sandbox.lists import listed as page_of
from loyalty_service.sandbox.messages import Refusal, Resource, missing, refuse_unsupported
from loyalty_service.sandbox.state import State, new_id

_SUPPORTED = "amount charge expand metadata payment_intent reason"


def create(state: State, params: dict[str, Any]) -> Resource:
    """Give back an amount, or all that is left, and return the refund."""
    refuse_unsupported(params, _SUPPORTED)
    charge = _asked_charge(state, params)
    amount = _amount(charge, params)
    refund: Resource = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": state.now(),
        "currency": charge["currency"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "arn", "type": "refund"},
            "type": "card",
        },
        "metadata": params.get("metadata") or {},
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    state.put("refunds", refund)
    events.record(state, "refund.created", refund)
    after = _moved(state, charge, amount)
    events.record(state, "charge.refunded", after, charge)
    return refund


def fail(state: State, refund_id: str, reason: str = "unknown") -> Resource:
    """Let a refund fail: the money comes back to the shop, and the charge is refunded less."""
    refund = retrieve(state, refund_id)
    if refund["status"] == "failed":
        raise Refusal("This refund has failed already.")
    failed = refund | {
        "failure_balance_transaction": new_id("txn"),
        "failure_reason": reason,
        "status": "failed",
    }
    state.put("refunds", failed)
    _moved(state, payments.charge(state, refund["charge"]), -refund["amount"])
    events.record(state, "refund.updated", failed, refund)
    events.record(state, "refund.failed", failed)
    return failed


def retrieve(state: State, refund_id: str) -> Resource:
    """Return a refund."""
    refund = state.get("refunds", refund_id)
    if refund is None:
        raise missing("refund", refund_id, param="id", status=404)
    return refund


def listed(state: State, params: dict[str, Any]) -> Resource:
    """Return one page of refunds, newest first."""
    every = state.every("refunds")
    return page_of(every, params, url="/v1/refunds", filters="charge payment_intent")


def _asked_charge(state: State, params: dict[str, Any]) -> Resource:
    if ("charge" in params) == ("payment_intent" in params):
        raise Refusal("One of the following params should be provided: payment_intent or charge.")
    if intent_id := params.get("payment_intent"):
        intent = state.get("payment_intents", intent_id)
        if intent is None:
            raise missing("payment_intent", intent_id, param="payment_intent")
        return payments.charge(state, intent["latest_charge"])
    charge = state.get("charges", params["charge"])
    if charge is None:
        raise missing("charge", params["charge"], param="charge")
    return charge


def _amount(charge: Resource, params: dict[str, Any]) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise Refusal(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if charge["disputed"]:
        raise Refusal(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
    amount = int(params.get("amount", left))
    if amount < 1:
        raise Refusal("Invalid positive integer", param="amount")
    if amount > left:
        raise Refusal(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    return amount


def _moved(state: State, charge: Resource, amount: int) -> Resource:
    refunded = charge["amount_refunded"] + amount
    changed = {"amount_refunded": refunded, "refunded": refunded == charge["amount"]}
    return state.put("charges", charge | changed)
