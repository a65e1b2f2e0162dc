"""Why something earned what it did, as a schema: the fields of `domain.earning.Explanation`."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from loyalty_service.api.shapes import Count


class _OfKeys(ma.Schema):
    """Reads keys only: marshmallow would take a mapping's method `items` for a field left out."""

    def get_attribute(self, obj: Mapping[str, Any], attr: str, default: Any) -> Any:
        """A key's value."""
        return obj.get(attr, default)


class PartOut(_OfKeys):
    """What of a rule's share was multiplied, and by what."""

    counted = Count("Minor units, or items.")
    multiplier = ma.fields.String(required=True, metadata={"description": "Exact, such as `5/4`."})
    campaigns = ma.fields.List(ma.fields.String())


class RuleShareOut(_OfKeys):
    """What one rule gave. `counted_minor` and `per_minor` where it gives for money, `items` where
    it gives for each item, neither where its points are fixed."""

    rule = ma.fields.String(required=True)
    points = Count("What it gave.")
    points_per = ma.fields.String(required=True, metadata={"description": "Exact, such as `1/2`."})
    exact = ma.fields.String(required=True, metadata={"description": "Before it was rounded."})
    rounding = ma.fields.String(required=True)
    counted_minor = ma.fields.Integer()
    per_minor = ma.fields.Integer()
    items = ma.fields.Integer()
    parts = ma.fields.List(ma.fields.Nested(PartOut))
    carried_in = ma.fields.String(
        metadata={
            "description": "What was left over from before; less than 0 where an order came back "
            "that another had carried from."
        }
    )
    uncapped = ma.fields.Integer(metadata={"description": "Without the rule's caps."})


class BonusOut(_OfKeys):
    """Fixed points of a campaign."""

    campaign = ma.fields.String(required=True)
    points = Count("What it gave.")


class ExplanationOut(_OfKeys):
    """Why so many points: the shares of rules and campaigns, and what limited them."""

    rules = ma.fields.List(ma.fields.Nested(RuleShareOut), required=True)
    pending_days = Count("Local calendar days until they can be spent.")
    bonuses = ma.fields.List(ma.fields.Nested(BonusOut))
    tier = ma.fields.String(metadata={"description": "Whose multiplier decided."})
    names = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.String(),
        metadata={"description": "Of the tier and the campaigns, as they were."},
    )
    uncapped = ma.fields.Integer(metadata={"description": "Without the balance cap."})


def _said(kind: str, description: str) -> dict[str, Any]:
    return {"type": kind, "description": description}


def _text_or_null(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description}


_PINNED = {
    "cause": _said("string", "Why it was posted: `order`, `refund`, `event`, `time` and others."),
    "program_version": _said("integer", "The rules that decided; left out where only time did."),
    "explanation": {"$ref": "#/components/schemas/ExplanationOut"},
    "pinned": _said("object", "What was known of the member and of limits when it was decided."),
    "currency": _said("string", "Lower-case ISO 4217, of all amounts in it."),
    "order": _said("string", "The shop's order id."),
    "refund": _said("string", "The shop's refund id."),
    "event": _said("string", "The shop's event id."),
    "event_type": _said("string", "The type of the event, as the program declares it."),
    "waiting_for": _said("string", "`paid`, `fulfilled` or `first_order`: nothing is earned yet."),
    "due_before": _said("integer", "What the order was worth, in points."),
    "due_after": _said("integer", "What the order is worth now."),
    "short": _said("integer", "Points that had been spent already and were not taken back."),
    "owed": _said("integer", "Points that had been spent already and are owed from now on."),
    "redemption": _said("string", "The redemption, as `rdm_…`."),
    "reward": _said("string", "The reward's id."),
    "reward_name": _said("string", "Its name, as it was."),
    "reason": _said("string", "One of the program's reasons."),
    "actor": _text_or_null("Who of the staff acted, as an opaque id."),
    "role": _text_or_null("In which role."),
    "approval": _said("string", "The approval that it needed and got, as `apr_…`."),
    "approved_by": _said("string", "Who of the staff approved it, as an opaque id."),
    "reverses": _said("string", "The transaction that is undone, as `ltx_…`."),
    "tier": _said("string", "The tier whose gift it is."),
    "from": _text_or_null("The tier before."),
    "to": _text_or_null("The tier from now on."),
    "standing": _said("object", "The tier and the ends of points that are in force after it."),
}


class Pinned(ma.fields.Dict):
    """Everything that decided a transaction, as it was pinned and never changes."""

    def __init__(self, **kwargs: Any) -> None:
        described = {
            "description": "What decided, as it was kept with the transaction and never changes. "
            "Which fields are there depends on the cause; there may be others than these.",
            "properties": _PINNED,
            "additionalProperties": True,
        }
        super().__init__(keys=ma.fields.String(), metadata=described, **kwargs)
