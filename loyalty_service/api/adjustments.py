"""/v1/adjustments: points that staff give or take."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import errors
from loyalty_service.api import approvals as approvals_api
from loyalty_service.api import shapes
from loyalty_service.api.approvals import ApprovalOut
from loyalty_service.api.fields import Body, Object, Text, Whole, fault
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import kept, living, once
from loyalty_service.domain import approvals, ledger
from loyalty_service.domain.adjustments import Adjustment, Gesture
from loyalty_service.domain.idempotency import Answer

blueprint = Blueprint(
    "adjustments", __name__, url_prefix="/v1/adjustments", description="Points by hand"
)


class PointsGiven(Whole):
    """Signed points, not zero."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"not": {"const": 0}, **kwargs.get("metadata", {})}
        super().__init__(min=-ledger.POINTS_MAX, max=ledger.POINTS_MAX, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        points = super()._deserialize(value, attr, data, **kwargs)
        if points == 0:
            raise fault("zero", "must not be 0; a credit is above zero, a debit below")
        return points


class AdjustmentIn(Body):
    """What to give (or, below zero, to take), why, and two notes."""

    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    points = PointsGiven(required=True)
    reason = Text(max=40, required=True, metadata={"description": "One of the program's reasons."})
    note = Text(max=2000, lines=True, load_default=None, metadata={"description": "For staff."})
    customer_note = Text(
        max=500, lines=True, load_default=None, metadata={"description": "The customer sees it."}
    )


class AdjustmentOut(ma.Schema):
    """An adjustment made."""

    object = Object("adjustment")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True, attribute="member_id")
    points = ma.fields.Integer(required=True)
    reason = ma.fields.String(required=True)
    note = ma.fields.String(required=True, allow_none=True)
    customer_note = ma.fields.String(required=True, allow_none=True)
    transaction = ma.fields.String(required=True, attribute="transaction_id")
    balance = ma.fields.Nested(shapes.BalanceOut, required=True)


ADJUSTMENT_OUT = AdjustmentOut()
FIELDS = ("id", "member_id", "points", "reason", "note", "customer_note", "transaction_id")


@blueprint.route("", methods=["POST"])
@allow("staff")
@refuses(
    errors.InsufficientPoints,
    errors.LimitExceeded,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.ProgramNotApplied,
    errors.ReasonNotKnown,
)
@blueprint.arguments(AdjustmentIn)
@blueprint.response(201, AdjustmentOut)
@blueprint.alt_response(
    202, schema=ApprovalOut, description="Above your limits: nothing moves until it is approved"
)
def give(fields: dict[str, Any]) -> Any:
    """Give or take points by hand: 201, or 202 where a second person has to approve it first."""

    def work(session: Session) -> Answer:
        made = approvals.give_or_ask(session, caller(), Gesture(**fields))
        if isinstance(made, approvals.Approval):
            return living(202, made.id)
        return kept(201, _fill(made.adjustment, made.balance), made.adjustment["id"])

    return once(work, show)


def show(session: Session, adjustment_id: str) -> dict[str, Any]:
    """An adjustment's JSON as it stands, or that of the approval it waits for."""
    if adjustment_id.startswith(approvals.PREFIX):
        return approvals_api.show(session, adjustment_id)
    row = session.get(Adjustment, (caller().program_id, adjustment_id))
    if row is None:
        raise errors.NotFound(f"There is no adjustment {adjustment_id}.")
    values = {name: getattr(row, name) for name in FIELDS}
    return _fill(values, ledger.balance(session, row.program_id, row.member_id))


def _fill(adjustment: dict[str, Any], balance: ledger.Balance) -> dict[str, Any]:
    dumped: dict[str, Any] = ADJUSTMENT_OUT.dump({**adjustment, "balance": balance})
    return dumped
