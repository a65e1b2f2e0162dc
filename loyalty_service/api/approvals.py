"""/v1/approvals: what one person of staff asks, and a second one decides."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import clock, db, errors
from loyalty_service.api.fields import Body, Choice, Moment, Nothing, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import living, once, refused
from loyalty_service.domain import access, approvals, members, people
from loyalty_service.domain.approvals import Approval
from loyalty_service.domain.idempotency import Answer

blueprint = Blueprint(
    "approvals", __name__, url_prefix="/v1/approvals", description="A second person says yes"
)
STATUSES = tuple(approvals.TRANSITIONS)
FOR_STAFF = {"description": "Staff only."}


class AskedOut(ma.Schema):
    """What is asked; other kinds may come with fields of their own."""

    kind = Choice(approvals.KINDS, required=True)
    points = ma.fields.Integer(
        metadata={"description": "Of an adjustment: signed, as it was asked."}
    )
    reason = ma.fields.String(metadata={"description": "One of the program's reasons."})


class ApprovalOut(ma.Schema):
    """A request and what became of it; points move once it is `approved`, never before."""

    object = Object("approval")
    id = ma.fields.String(required=True)
    status = Choice(STATUSES, required=True)
    member = ma.fields.String(required=True)
    asked = ma.fields.Nested(AskedOut, required=True)
    note = ma.fields.String(required=True, allow_none=True, metadata=FOR_STAFF)
    customer_note = ma.fields.String(required=True, allow_none=True)
    requested_by = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The person. Staff only."}
    )
    requested_role = Choice(access.ROLES, required=True)
    requested_at = Moment(required=True)
    expires_at = Moment(
        required=True, metadata={"description": "From then on nobody can decide it."}
    )
    decided_by = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The second person. Staff only."}
    )
    decided_at = Moment(required=True, allow_none=True)
    decision_reason = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was rejected. Staff only."}
    )
    failure = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Where it `failed`, the code of what made it impossible."},
    )
    made = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What it became once approved: an adjustment, as `adj_…`."},
    )
    transaction = ma.fields.String(required=True, allow_none=True)


class ApprovalQuery(PageQuery):
    """Which, and whose."""

    status = Choice(STATUSES, load_default=None)
    member = Text(max=210, load_default=None, metadata={"description": "mem_… or ext:<your id>."})


class RejectIn(Body):
    """Why not."""

    reason = Text(max=500, required=True, lines=True, metadata={"description": "For staff."})


APPROVAL_OUT = ApprovalOut()
DECIDING = (
    errors.ApprovalDecided,
    errors.ApprovalExpired,
    errors.ApprovalNotFound,
    errors.ApproverNotAPerson,
    errors.OwnApproval,
    errors.RoleMayNotApprove,
)


@blueprint.route("", methods=["GET"])
@allow("staff", "reporting")
@refuses(errors.CursorNotFound, errors.MemberNotFound)
@blueprint.arguments(ApprovalQuery, location="query")
@blueprint.response(200, list_schema(ApprovalOut))
def find(query: dict[str, Any]) -> Any:
    """Approvals, newest first: those that wait, or others, or one member's."""
    page = page_of(query)
    program_id = caller().program_id

    def work(session: Session) -> dict[str, Any]:
        member_id = members.id_of(session, program_id, query["member"])
        rows = approvals.listed(
            session, program_id, page, clock.now(), status=query["status"], member_id=member_id
        )
        known = _people(session, *rows)
        return listed(rows, page, lambda row: fill(row, known))

    return db.read(work)


@blueprint.route("/<approval_id>", methods=["GET"])
@allow("staff", "reporting")
@refuses(errors.ApprovalNotFound)
@blueprint.response(200, ApprovalOut)
def get(approval_id: str) -> Any:
    """An approval as it stands."""
    return db.read(lambda session: show(session, approval_id))


@blueprint.route("/<approval_id>/approve", methods=["POST"])
@allow("staff")
@refuses(
    *DECIDING,
    errors.InsufficientPoints,
    errors.LimitExceeded,
    errors.MemberClosed,
    errors.ProgramNotApplied,
    errors.ReasonNotKnown,
)
@blueprint.arguments(Nothing)
@blueprint.response(200, ApprovalOut)
def approve(fields: dict[str, Any], approval_id: str) -> Any:
    """Say yes to what a colleague asked: it is done now, once, from your own limits."""

    def work(session: Session) -> Answer:
        decided = approvals.approve(session, caller(), approval_id)
        if decided.refusal:
            # Told as a refusal, and kept: that it failed is what came of this call.
            return refused(decided.refusal)
        return living(200, decided.approval.id)

    return once(work, show)


@blueprint.route("/<approval_id>/reject", methods=["POST"])
@allow("staff")
@refuses(*DECIDING)
@blueprint.arguments(RejectIn)
@blueprint.response(200, ApprovalOut)
def reject(fields: dict[str, Any], approval_id: str) -> Any:
    """Say no to what a colleague asked, and why."""

    def work(session: Session) -> Answer:
        return living(200, approvals.reject(session, caller(), approval_id, fields["reason"]).id)

    return once(work, show)


def show(session: Session, approval_id: str) -> dict[str, Any]:
    """An approval's JSON as it stands."""
    row = approvals.require(session, caller().program_id, approval_id)
    return fill(row, _people(session, row))


def fill(row: Approval, known: Mapping[str, str]) -> dict[str, Any]:
    """An approval as JSON-able values; `known` are persons by their ids, for staff's eyes."""
    is_staff = caller().scope in ("staff", "admin")
    values = {
        "id": row.id,
        "status": row.status_at(clock.now()),
        "member": row.member_id,
        "asked": {"kind": row.kind, **row.wish},
        "note": row.note if is_staff else None,
        "customer_note": row.customer_note,
        "requested_by": known.get(row.requested_by) if is_staff else None,
        "requested_role": row.requested_role,
        "requested_at": row.requested_at,
        "expires_at": row.expires_at,
        "decided_by": known.get(row.decided_by or "") if is_staff else None,
        "decided_at": row.decided_at,
        "decision_reason": row.decision_reason if is_staff else None,
        "failure": row.failure,
        "made": row.made_id,
        "transaction": row.transaction_id,
    }
    dumped: dict[str, Any] = APPROVAL_OUT.dump(values)
    return dumped


def _people(session: Session, *rows: Approval) -> dict[str, str]:
    both = [who for row in rows for who in (row.requested_by, row.decided_by) if who]
    return people.named(session, caller().program_id, both)
