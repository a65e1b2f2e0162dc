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
    carried_in = ma.fields.String(metadata={"description": "What was left over the last time."})
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
