"""A reward as the contract shows it: what it costs, who may have it, and how often."""

from typing import Any

import marshmallow as ma

from loyalty_service.api.fields import Choice, Object
from loyalty_service.api.shapes import Money, money
from loyalty_service.domain import codes, program, rewards
from loyalty_service.domain.program.document import (
    PayWithPoints,
    Reward,
    RewardType,
    Settlement,
    Slab,
    Span,
)


class SlabOut(ma.Schema):
    """One price of a reward and the discount it buys, if it is one."""

    points = ma.fields.Integer(required=True)
    amount_off = ma.fields.Nested(Money, required=True, allow_none=True)
    percent_off = ma.fields.String(required=True, allow_none=True)
    minimum_order = ma.fields.Nested(Money, required=True, allow_none=True)


class PayWithPointsOut(ma.Schema):
    """Any number of points at a rate: from `minimum` on, in steps, `points` take off `worth`."""

    points = ma.fields.Integer(required=True)
    worth = ma.fields.Nested(Money, required=True)
    minimum = ma.fields.Integer(required=True)
    step = ma.fields.Integer(required=True)
    maximum = ma.fields.Integer(required=True, allow_none=True)


class BirthdayWindowOut(ma.Schema):
    """The birthday and the days after it, so many in all."""

    tier = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "null: every other tier."}
    )
    days = ma.fields.Integer(required=True)


class EligibilityOut(ma.Schema):
    """Who may have a reward: all that is given must hold."""

    words = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "For customers; null: everybody."}
    )
    tiers = ma.fields.List(ma.fields.String(), required=True)
    birthday = ma.fields.List(ma.fields.Nested(BirthdayWindowOut), required=True)
    when = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The program's own condition."}
    )


class PerMemberOut(ma.Schema):
    """How often one member may have a reward."""

    count = ma.fields.Integer(required=True)
    per = Choice([span.value for span in Span if span is not Span.ONCE], required=True)


class DaysOut(ma.Schema):
    """Local dates, both included; null is an open end."""

    first = ma.fields.Date(required=True, allow_none=True, data_key="from")
    until = ma.fields.Date(required=True, allow_none=True)


class RewardOut(ma.Schema):
    """A reward; `points` is its lowest price and the default of a redemption."""

    object = Object("reward")
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    type = Choice([kind.value for kind in RewardType], required=True)
    points = ma.fields.Integer(required=True)
    slabs = ma.fields.List(
        ma.fields.Nested(SlabOut),
        required=True,
        metadata={"description": "Empty where there is `pay_with_points`."},
    )
    pay_with_points = ma.fields.Nested(PayWithPointsOut, required=True, allow_none=True)
    max_share_of_order = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Exact, such as `1/2`."}
    )
    minimum_order = ma.fields.Nested(Money, required=True, allow_none=True)
    eligibility = ma.fields.Nested(EligibilityOut, required=True)
    stock_left = ma.fields.Integer(required=True, allow_none=True)
    per_member = ma.fields.Nested(PerMemberOut, required=True, allow_none=True)
    available = ma.fields.Nested(DaysOut, required=True, allow_none=True)
    settlement = Choice([kind.value for kind in Settlement], required=True)
    gives = ma.fields.String(required=True, allow_none=True)
    code_lifetime_days = ma.fields.Integer(required=True, allow_none=True)
    usable = ma.fields.Boolean(
        metadata={"description": "With `member`: whether that member could have it now."}
    )
    code = ma.fields.String(
        allow_none=True, metadata={"description": "With `member`: the refusal, if not usable."}
    )
    customer_message = ma.fields.String(
        allow_none=True, metadata={"description": "With `member`: what the customer may be told."}
    )


def fill(reward: Reward, rules: program.Program, stock_left: int | None) -> dict[str, Any]:
    """A reward's values for `RewardOut`; `stock_left` where it has a stock."""
    share = reward.max_share_of_order
    days = {"first": reward.available_from, "until": reward.available_until}
    per_member = {"count": reward.per_member, "per": reward.per_member_span.value}
    return {
        "id": reward.id,
        "name": reward.name,
        "type": reward.type.value,
        "points": rewards.price(reward, None).points,
        "slabs": [_slab(reward, slab, rules.currency) for slab in reward.slabs],
        "pay_with_points": _rate(reward.pay_with_points, rules.currency),
        "max_share_of_order": str(share) if share is not None else None,
        "minimum_order": money(reward.minimum_order_minor, rules.currency),
        "eligibility": _eligibility(reward, rules),
        "stock_left": stock_left,
        "per_member": per_member if reward.per_member is not None else None,
        "available": days if any(days.values()) else None,
        "settlement": reward.settlement.value,
        "gives": reward.gives,
        "code_lifetime_days": reward.code_lifetime_days,
    }


def _eligibility(reward: Reward, rules: program.Program) -> dict[str, Any]:
    eligible = reward.eligibility
    return {
        "words": rewards.who_may(reward, rules),
        "tiers": eligible.tiers,
        "birthday": eligible.birthday,
        "when": eligible.when,
    }


def _rate(pay: PayWithPoints | None, currency: str) -> dict[str, Any] | None:
    if pay is None:
        return None
    return {
        "points": pay.points,
        "worth": money(pay.amount_minor, currency),
        "minimum": pay.minimum,
        "step": pay.step,
        "maximum": pay.maximum,
    }


def _slab(reward: Reward, slab: Slab, currency: str) -> dict[str, Any]:
    percent = slab.percent_off
    return {
        "points": slab.points,
        "amount_off": money(slab.amount_off_minor, currency),
        "percent_off": codes.percent_text(percent) if percent is not None else None,
        "minimum_order": money(rewards.minimum_order_minor(reward, slab), currency),
    }
