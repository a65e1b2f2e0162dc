"""Shapes that several nouns share: money, balances, and how they are filled."""

from typing import Any

import marshmallow as ma

from loyalty_service.api.fields import Moment, Object
from loyalty_service.domain.ledger import Balance


class Money(ma.Schema):
    """An amount in the currency's minor units."""

    amount = ma.fields.Integer(
        required=True, metadata={"description": "Minor units.", "minimum": 0}
    )
    currency = ma.fields.String(
        required=True,
        metadata={"description": "Lower-case ISO 4217.", "pattern": "^[a-z]{3}$"},
    )


class SignedMoney(Money):
    """Money that goes, or comes back where it is below zero; in the currency's minor units."""

    amount = ma.fields.Integer(required=True, metadata={"description": "Minor units."})


class Count(ma.fields.Integer):
    """Points, none or more."""

    def __init__(self, description: str) -> None:
        super().__init__(required=True, metadata={"description": description, "minimum": 0})


class ExpiringOut(ma.Schema):
    """The points that expire next."""

    points = Count("How many.")
    expires_at = Moment(required=True)


class BalanceOut(ma.Schema):
    """A member's points at a moment."""

    object = Object("balance")
    at = Moment(required=True, metadata={"description": "The moment this balance is for."})
    available = Count("Can be spent.")
    pending = Count("Earned, not yet usable.")
    held = Count("Reserved while paying.")
    debt = Count("Clawed back, already spent.")
    lifetime_earned = Count("Ever earned, spent or not.")
    expiring_next = ma.fields.Nested(ExpiringOut, required=True, allow_none=True)


_BALANCE_OUT = BalanceOut()


def balance(value: Balance) -> dict[str, Any]:
    """A balance's JSON."""
    dumped: dict[str, Any] = _BALANCE_OUT.dump(value)
    return dumped


def money(amount_minor: int | None, currency: str) -> dict[str, Any] | None:
    """An amount's JSON, or null."""
    return None if amount_minor is None else {"amount": amount_minor, "currency": currency}
