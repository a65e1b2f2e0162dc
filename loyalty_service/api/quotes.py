"""/v1/quotes: what an order would earn. Writes nothing, so it needs no Idempotency-Key."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import marshmallow as ma

from loyalty_service import db, errors
from loyalty_service.api.explanations import ExplanationOut
from loyalty_service.api.fields import Body, Id, Moment, Object, Part, Text
from loyalty_service.api.guard import allow, caller, reading
from loyalty_service.api.orders import FactsIn, facts_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.shapes import Money
from loyalty_service.api.speaking import speaks, voice
from loyalty_service.domain import quoting
from loyalty_service.domain.explaining.earned import quoted
from loyalty_service.domain.quoting import Quote

blueprint = Blueprint("quotes", __name__, url_prefix="/v1/quotes", description="Quotes")


class QuotedOrderIn(FactsIn):
    """An order as it would be recorded, and refused; what is not said to be paid (fulfilled) yet
    earns as if it were when it is placed."""

    id = Id(load_default=None, metadata={"description": "Not looked at."})
    placed_at = Moment(load_default=None, metadata={"description": "Now, where it is left out."})


class QuoteIn(Body):
    """Whose order, and what is in it."""

    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    order = Part(QuotedOrderIn, required=True)


class EarnOut(ma.Schema):
    """The points, when they can be spent, and why so many."""

    points = ma.fields.Integer(required=True, metadata={"minimum": 0})
    available_at = Moment(required=True)
    summary = ma.fields.String(required=True)
    explanation = ma.fields.Nested(ExplanationOut, required=True)


class UsableOut(ma.Schema):
    """Whether a reward can be had now at its lowest price; if not, why."""

    id = ma.fields.String(required=True)
    points = ma.fields.Integer(required=True, metadata={"minimum": 0})
    usable = ma.fields.Boolean(
        required=True,
        metadata={
            "description": "Whether a redemption would be taken now, by the member, the points and "
            "the limits. The order's size is not looked at: a code's `minimum_order`, which keeps "
            "`max_share_of_order` too, is asked for when the code is used."
        },
    )
    code = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "What a redemption would answer."}
    )
    customer_message = ma.fields.String(required=True, allow_none=True)


class PayOut(ma.Schema):
    """The most that points can pay of this order."""

    reward = ma.fields.String(required=True)
    points = ma.fields.Integer(required=True, metadata={"minimum": 0})
    amount_off = ma.fields.Nested(Money, required=True)


class QuoteOut(ma.Schema):
    """What an order would earn; it will, while version and sequence stand."""

    object = Object("quote")
    earn = ma.fields.Nested(EarnOut, required=True)
    rewards = ma.fields.List(ma.fields.Nested(UsableOut), required=True)
    pay_with_points = ma.fields.Nested(
        PayOut,
        required=True,
        allow_none=True,
        metadata={"description": "null where the program has no such reward, or it can't be had."},
    )
    program_version = ma.fields.Integer(required=True)
    account_sequence = ma.fields.Integer(required=True)


QUOTE_OUT = QuoteOut()


@blueprint.route("", methods=["POST"])
@allow("checkout")
@reading
@speaks
@refuses(
    errors.CurrencyNotPriced,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.OrderInFuture,
    errors.OrderTooLate,
    errors.PointsTooMany,
    errors.ProgramNotApplied,
)
@blueprint.arguments(QuoteIn)
@blueprint.response(200, QuoteOut)
def quote(fields: dict[str, Any]) -> Any:
    """What an order would earn now; the order may carry this quote's version and sequence."""
    order, program_id = fields["order"], caller().program_id
    with _named_inside("order", QuotedOrderIn):
        made = db.read(
            lambda session: quoting.quote(
                session,
                program_id,
                fields["member"],
                facts_of(order),
                order["placed_at"],
                order["paid_at"],
                order["fulfilled_at"],
            )
        )
    return QUOTE_OUT.dump(_fill(made))


@contextmanager
def _named_inside(place: str, schema: type[ma.Schema]) -> Iterator[None]:
    """Refusals name a field of `schema` as it stands in this call: inside `place`."""
    try:
        yield
    except errors.LoyaltyError as error:
        if error.param in schema._declared_fields:
            error.param = f"{place}.{error.param}"
            error.faults = tuple(
                replace(fault, param=f"{place}.{fault.param}") for fault in error.faults
            )
        raise


def _fill(made: Quote) -> dict[str, Any]:
    return {
        "earn": {
            "points": made.points,
            "available_at": made.available_at,
            "summary": quoted(voice(made.locale), made),
            "explanation": made.decided.earned.explanation,
        },
        "rewards": made.rewards,
        "pay_with_points": made.pay
        and {
            "reward": made.pay.reward,
            "points": made.pay.points,
            "amount_off": {"amount": made.pay.amount_minor, "currency": made.currency},
        },
        "program_version": made.program_version,
        "account_sequence": made.account_sequence,
    }
