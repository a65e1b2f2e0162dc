"""/v1/offers: the thank-you discounts that the program has, and whether staff can give them now."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import clock, db, errors
from loyalty_service.api.coded import DiscountOut
from loyalty_service.api.fields import Body, Choice, Moment, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.shapes import Money, money
from loyalty_service.api.speaking import speaks, voice
from loyalty_service.domain import codes, discounts, members, program
from loyalty_service.domain.discounts import Giving, saying
from loyalty_service.domain.discounts.budgets import Left
from loyalty_service.domain.program.document import (
    Feedback,
    Offer,
    RewardType,
    Settlement,
    Trigger,
    TriggerKind,
)
from loyalty_service.wording import Voice

blueprint = Blueprint(
    "offers", __name__, url_prefix="/v1/offers", description="What members can be thanked with"
)


class OfferQuery(Body):
    """For whom."""

    member = Text(max=210, load_default=None, metadata={"description": "mem_… or ext:<your id>."})


class FeedbackOut(ma.Schema):
    """An event whose `field` is at most so much."""

    event = ma.fields.String(required=True)
    field = ma.fields.String(required=True)
    at_most = ma.fields.Integer(required=True)


class DueOut(ma.Schema):
    """For what exactly an offer is given; only what belongs to its trigger is not null."""

    tier = ma.fields.String(required=True, allow_none=True)
    order_number = ma.fields.Integer(required=True, allow_none=True)
    days_without_order = ma.fields.Integer(required=True, allow_none=True)
    feedback = ma.fields.Nested(FeedbackOut, required=True, allow_none=True)


class BudgetOut(ma.Schema):
    """The most that all members together are given in a month, and what is left of it."""

    month = ma.fields.String(required=True, metadata={"description": "Such as `2026-03`."})
    opens_at = Moment(required=True, metadata={"description": "When the next month's begins."})
    count = ma.fields.Integer(required=True, allow_none=True)
    count_left = ma.fields.Integer(required=True, allow_none=True)
    amount = ma.fields.Nested(Money, required=True, allow_none=True)
    amount_left = ma.fields.Nested(Money, required=True, allow_none=True)
    amount_each = ma.fields.Nested(
        Money,
        required=True,
        allow_none=True,
        metadata={"description": "What one takes of `amount_left`."},
    )


class OfferOut(ma.Schema):
    """A thank-you discount that the program has."""

    object = Object("offer")
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    type = Choice([kind.value for kind in RewardType], required=True)
    gives = ma.fields.String(
        required=True, metadata={"description": "What it gives, in words for the customer."}
    )
    discount = ma.fields.Nested(DiscountOut, required=True)
    settlement = Choice([kind.value for kind in Settlement], required=True)
    trigger = Choice([kind.value for kind in TriggerKind], required=True)
    due = ma.fields.Nested(
        DueOut, required=True, allow_none=True, metadata={"description": "null: see `trigger`."}
    )
    by_hand = ma.fields.Boolean(
        required=True, metadata={"description": "Staff give it: `POST /v1/discounts`."}
    )
    cooldown_seconds = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The least time between two that one member gets."},
    )
    code_lifetime_days = ma.fields.Integer(required=True, allow_none=True)
    budget = ma.fields.Nested(
        BudgetOut,
        required=True,
        allow_none=True,
        metadata={
            "description": "null: without limit, or a checkout asks. With `member` that is told "
            "`budget_exceeded` and `again_at` of one that is used up, and no figures."
        },
    )
    usable = ma.fields.Boolean(
        metadata={"description": "With `member`: whether staff could give it to that member now."}
    )
    code = ma.fields.String(
        allow_none=True, metadata={"description": "With `member`: the refusal, if not usable."}
    )
    detail = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "With `member`: what `POST /v1/discounts` would say. Not for checkouts."
        },
    )
    customer_message = ma.fields.String(
        allow_none=True, metadata={"description": "With `member`: what the customer may be told."}
    )
    again_at = Moment(
        allow_none=True,
        metadata={"description": "With `member`: when the refusal is over by itself, if ever."},
    )


class OfferList(ma.Schema):
    """All offers of the program in force."""

    object = Object("list")
    data = ma.fields.List(ma.fields.Nested(OfferOut), required=True)
    has_more = ma.fields.Boolean(required=True)
    url = ma.fields.String(required=True)


@blueprint.route("", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.MemberNotFound, errors.ProgramNotApplied)
@blueprint.arguments(OfferQuery, location="query")
@blueprint.response(200, OfferList)
def listed(query: dict[str, Any]) -> Any:
    """The thank-you discounts of the program in force, in its order; with `member`, for one.

    Budgets are those of this month, as the program's zone has it.
    """
    ref = query["member"]

    def work(session: Session) -> Any:
        rules = program.in_force(session, caller().program_id).rules
        member = members.require(session, rules.id, ref) if ref else None
        speaker, now = voice(member.locale if member else None), clock.now()
        if member:
            found = discounts.standing_for(session, rules, member, now)
        else:
            found = discounts.standing(session, rules, now)
        data = [
            _fill(offer, found[offer.id], rules.currency, speaker)
            | (_usable(found[offer.id]) if member else {})
            for offer in rules.thank_you
        ]
        return OfferList().dump({"data": data, "has_more": False, "url": "/v1/offers"})

    return db.read(work)


def _fill(offer: Offer, giving: Giving, currency: str, speaker: Voice) -> dict[str, Any]:
    percent = offer.percent_off
    return {
        "id": offer.id,
        "name": offer.name,
        "type": offer.type.value,
        "gives": saying.gives(speaker, offer, currency),
        "discount": {
            "amount_off": money(offer.amount_off_minor, currency),
            "percent_off": codes.percent_text(percent) if percent is not None else None,
            "minimum_order": money(offer.minimum_order_minor, currency),
        },
        "settlement": offer.settlement.value,
        "trigger": offer.trigger.kind.value,
        "due": _due(offer.trigger),
        "by_hand": offer.trigger.kind is TriggerKind.STAFF,
        "cooldown_seconds": offer.cooldown_seconds,
        "code_lifetime_days": offer.code_lifetime_days,
        "budget": _budget(offer, giving.left, currency) if _sees_budgets() else None,
    }


def _due(trigger: Trigger) -> dict[str, Any] | None:
    due = {
        "tier": trigger.tier,
        "order_number": trigger.order_number,
        "days_without_order": trigger.days,
        "feedback": _feedback(trigger.feedback) if trigger.feedback else None,
    }
    return due if any(value is not None for value in due.values()) else None


def _feedback(feedback: Feedback) -> dict[str, Any]:
    return {"event": feedback.event, "field": feedback.field, "at_most": feedback.at_most}


def _budget(offer: Offer, left: Left | None, currency: str) -> dict[str, Any] | None:
    if left is None:
        return None
    is_money = offer.budget.month_minor is not None
    return {
        "month": left.month,
        "opens_at": left.opens_at,
        "count": offer.budget.month_count,
        "count_left": left.number,
        "amount": money(offer.budget.month_minor, currency),
        "amount_left": money(left.minor, currency),
        "amount_each": money(offer.cost_minor, currency) if is_money else None,
    }


def _usable(giving: Giving) -> dict[str, Any]:
    """What a gift would be answered; what a refusal says of budgets is not for checkouts."""
    refused = giving.refusal
    return {
        "usable": refused is None,
        "code": refused.code if refused else None,
        "detail": refused.detail if refused and _sees_budgets() else None,
        "customer_message": refused.customer_message if refused else None,
        "again_at": giving.again_at,
    }


def _sees_budgets() -> bool:
    return caller().scope != "checkout"
