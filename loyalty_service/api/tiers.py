"""/v1/tiers: the tiers of the program in force, and the shape in which a member's own is shown."""

from fractions import Fraction
from typing import Any

import marshmallow as ma

from loyalty_service import db, errors
from loyalty_service.api.fields import Choice, Moment, Object
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.shapes import Count
from loyalty_service.domain import program
from loyalty_service.domain.program.document import (
    Downgrade,
    Metric,
    Period,
    Program,
    Tier,
    Tiers,
    WindowKind,
)

blueprint = Blueprint("tiers", __name__, url_prefix="/v1/tiers", description="Levels of membership")
UNIT = "Minor units of the program's currency, points or orders: see `metric`."


class NextOut(ma.Schema):
    """The tier above."""

    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    missing = Count(UNIT)
    by = ma.fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last local day on which all that counts now still counts."},
    )


class KeepOut(ma.Schema):
    """What keeps the tier longer than `until`."""

    missing = Count(UNIT)
    by = ma.fields.Date(required=True, metadata={"description": "The last local day for it."})


class ProgressOut(ma.Schema):
    """A member's tier, and what it takes from here."""

    object = Object("tier_progress")
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    since = Moment(required=True)
    until = ma.fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last local day on which it is kept as things stand."},
    )
    metric = Choice([metric.value for metric in Metric], required=True)
    credits = Count("What counts in the current window, in the unit of `metric`.")
    next = ma.fields.Nested(NextOut, required=True, allow_none=True)
    keep = ma.fields.Nested(KeepOut, required=True, allow_none=True)
    sentences = ma.fields.List(
        ma.fields.String(),
        required=True,
        metadata={"description": "The same in plain words, for the customer's eyes."},
    )


class WindowOut(ma.Schema):
    """The stretch of time whose credits count."""

    kind = Choice([kind.value for kind in WindowKind], required=True)
    months = ma.fields.Integer(required=True, allow_none=True)
    starts_in = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The month in which a fiscal year begins, 1 to 12."},
    )


class KeptOut(ma.Schema):
    """How long a tier is kept: so many months or windows after it was reached, else for ever."""

    months = ma.fields.Integer(required=True, allow_none=True)
    until_end_of = Choice([period.value for period in Period], required=True, allow_none=True)
    windows = ma.fields.Integer(required=True, allow_none=True)
    plus_months = Count("Months more after the last window.")
    grace_days = Count("Days more after all that.")
    downgrade = Choice([way.value for way in Downgrade], required=True)


class BenefitsOut(ma.Schema):
    """What a tier gives beside its multiplier."""

    entry_points = Count("Given on reaching it, once a window.")
    points_never_expire = ma.fields.Boolean(required=True)
    rewards = ma.fields.List(
        ma.fields.String(),
        required=True,
        metadata={"description": "Rewards that not every tier may have, and this one may."},
    )


class TierOut(ma.Schema):
    """One tier; `from` is what it takes in one window."""

    object = Object("tier")
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    metric = Choice([metric.value for metric in Metric], required=True)
    from_ = ma.fields.Integer(
        required=True, data_key="from", metadata={"description": UNIT, "minimum": 0}
    )
    multiplier = ma.fields.String(
        required=True,
        metadata={"description": "Exact: `1.25`, or `4/3` where decimals would not end."},
    )
    benefits = ma.fields.Nested(BenefitsOut, required=True)
    window = ma.fields.Nested(WindowOut, required=True)
    kept = ma.fields.Nested(KeptOut, required=True)


class TierList(ma.Schema):
    """All tiers of the program in force, lowest first."""

    object = Object("list")
    data = ma.fields.List(ma.fields.Nested(TierOut), required=True)
    has_more = ma.fields.Boolean(required=True)
    url = ma.fields.String(required=True)


@blueprint.route("", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.ProgramNotApplied)
@blueprint.response(200, TierList)
def listed() -> Any:
    """The tiers of the program in force, lowest first; an empty list where it has none."""
    rules = db.read(lambda session: program.in_force(session, caller().program_id)).rules
    levels = rules.tiers.levels if rules.tiers else ()
    data = [_fill(rules, rules.tiers, tier) for tier in levels if rules.tiers]
    return TierList().dump({"data": data, "has_more": False, "url": "/v1/tiers"})


def _fill(rules: Program, tiers: Tiers, tier: Tier) -> dict[str, Any]:
    kept = {name: getattr(tiers.kept, name) for name in ("months", "windows", "plus_months")}
    return {
        "id": tier.id,
        "name": tier.name,
        "metric": tiers.metric.value,
        "from_": tier.from_credits,
        "multiplier": exact(tier.multiplier),
        "benefits": {
            "entry_points": tier.entry_points,
            "points_never_expire": tier.expiry_never,
            "rewards": [one.id for one in rules.rewards if tier.id in one.eligibility.tiers],
        },
        "window": tiers.window,
        "kept": {
            **kept,
            "until_end_of": tiers.kept.until_end_of,
            "grace_days": tiers.grace_days,
            "downgrade": tiers.downgrade.value,
        },
    }


def exact(number: Fraction) -> str:
    """A number above zero as decimals, or as a fraction where they would not end."""
    twos = fives = 0
    rest = number.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return str(number)
    places = max(twos, fives)
    whole, decimals = divmod(number.numerator * 10**places // number.denominator, 10**places)
    return f"{whole}.{decimals:0{places}d}" if places else str(whole)
