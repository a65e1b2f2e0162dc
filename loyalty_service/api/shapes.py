"""Shapes that several nouns share: money, balances, and how they are filled."""

from typing import Any

import marshmallow as ma

from loyalty_service.api.fields import Moment
from loyalty_service.domain.ledger import Balance


class Money(ma.Schema):
    """An amount in the currency's minor units."""

    amount = ma.fields.Integer(required=True, metadata={"description": "Minor units."})
    currency = ma.fields.String(required=True, metadata={"description": "Lower-case ISO 4217."})


class ExpiringOut(ma.Schema):
    """The points that expire next."""

    points = ma.fields.Integer(required=True)
    expires_at = Moment(required=True)


class BalanceOut(ma.Schema):
    """A member's points at a moment."""

    object = ma.fields.Constant("balance")
    at = Moment(required=True, metadata={"description": "The moment this balance is for."})
    available = ma.fields.Integer(required=True, metadata={"description": "Can be spent."})
    pending = ma.fields.Integer(required=True, metadata={"description": "Earned, not yet usable."})
    held = ma.fields.Integer(required=True, metadata={"description": "Reserved while paying."})
    debt = ma.fields.Integer(required=True, metadata={"description": "Clawed back, already spent."})
    lifetime_earned = ma.fields.Integer(required=True)
    expiring_next = ma.fields.Nested(ExpiringOut, required=True, allow_none=True)


_BALANCE_OUT = BalanceOut()


def balance(value: Balance) -> dict[str, Any]:
    """A balance's JSON."""
    dumped: dict[str, Any] = _BALANCE_OUT.dump(value)
    return dumped


def money(amount_minor: int | None, currency: str) -> dict[str, Any] | None:
    """An amount's JSON, or null."""
    return None if amount_minor is None else {"amount": amount_minor, "currency": currency}
