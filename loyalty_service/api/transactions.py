"""/v1/members/{ref}/transactions and /v1/transactions: what happened, why, and the undo."""

from typing import Any, NamedTuple

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors, wording
from loyalty_service.api.explanations import Pinned
from loyalty_service.api.fields import Body, Choice, Moment, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.speaking import speaks, voice
from loyalty_service.api.writing import kept, once
from loyalty_service.domain import access, adjustments, explaining, ledger, members, reversals
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.ledger import Move, Transaction
from loyalty_service.domain.ledger.moves import KINDS
from loyalty_service.domain.lists import Page
from loyalty_service.wording import Voice

blueprint = Blueprint("transactions", __name__, url_prefix="/v1", description="The ledger")
FIGURES = ("available", "pending", "held", "debt")
ENGLISH = wording.voice("en")


class FiguresOut(ma.Schema):
    """The running balance right after a transaction."""

    available = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    held = ma.fields.Integer(required=True)
    debt = ma.fields.Integer(required=True)


class PostingOut(ma.Schema):
    """Points moved from the debit side to the credit side."""

    debit = ma.fields.String(required=True)
    credit = ma.fields.String(required=True)
    points = ma.fields.Integer(required=True)


class TransactionOut(ma.Schema):
    """One immutable fact about a member's points."""

    object = Object("transaction")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True)
    sequence = ma.fields.Integer(required=True)
    kind = Choice(KINDS, required=True)
    points = ma.fields.Integer(
        required=True, metadata={"description": "By how much the member's points changed."}
    )
    occurred_at = Moment(required=True)
    recorded_at = Moment(required=True)
    corrects = ma.fields.String(required=True, allow_none=True)
    summary = ma.fields.String(
        required=True,
        metadata={
            "description": "One plain sentence for the customer: what happened, why, and when "
            "points can be spent or end. Always English in the answer to a reversal."
        },
    )
    customer_note = ma.fields.String(required=True, allow_none=True)
    balance_after = ma.fields.Nested(FiguresOut, required=True)


class TransactionDetail(TransactionOut):
    """A transaction with its postings and everything that decided it."""

    postings = ma.fields.List(ma.fields.Nested(PostingOut), required=True)
    explanation = Pinned(required=True)
    note = ma.fields.String(
        required=True, allow_none=True, dump_default=None, metadata={"description": "Staff only."}
    )
    actor = ma.fields.String(
        required=True, allow_none=True, dump_default=None, metadata={"description": "Staff only."}
    )
    approved_by = ma.fields.String(
        required=True,
        allow_none=True,
        dump_default=None,
        metadata={"description": "The second person, where it needed one. Staff only."},
    )
    hash = ma.fields.String(required=True)
    previous_hash = ma.fields.String(required=True)


TRANSACTION_OUT, TRANSACTION_DETAIL = TransactionOut(), TransactionDetail()


class ReverseIn(Body):
    """Why."""

    reason = Text(max=40, required=True)


@blueprint.route("/members/<ref>/transactions", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.CursorNotFound, errors.MemberNotFound)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, list_schema(TransactionOut))
def history(query: dict[str, Any], ref: str) -> Any:
    """A member's history, newest first, with the running balance."""
    page = page_of(query)
    program_id = caller().program_id
    whose = db.read(lambda session: _whose(session, program_id, ref))
    if whose.is_due:
        # Points that expired must not vanish from the balance without a line that says so.
        db.transaction(lambda session: ledger.bring_up_to_date(session, program_id, whose.id))
    return db.read(lambda session: _history(session, whose, page))


@blueprint.route("/transactions/<transaction_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.TransactionNotFound)
@blueprint.response(200, TransactionDetail)
def get(transaction_id: str) -> Any:
    """One transaction: its postings, and what decided."""
    return db.read(lambda session: _read(session, transaction_id))


@blueprint.route("/transactions/<transaction_id>/reverse", methods=["POST"])
@allow("staff")
@refuses(
    errors.AlreadyReversed,
    errors.LimitExceeded,
    errors.NotReversible,
    errors.ProgramNotApplied,
    errors.ReasonNotKnown,
    errors.TransactionNotFound,
)
@blueprint.arguments(ReverseIn)
@blueprint.response(201, TransactionDetail)
def reverse(fields: dict[str, Any], transaction_id: str) -> Any:
    """Take back an adjustment, or what an event gave, once."""

    def work(session: Session) -> Answer:
        made = reversals.reverse(session, caller(), transaction_id, fields["reason"])
        return kept(201, _detail(session, made), made.id)

    return once(work, show)


def show(session: Session, transaction_id: str) -> dict[str, Any]:
    """A transaction's JSON, in English: what is kept under a key must not depend on who reads."""
    one = ledger.require_transaction(session, caller().program_id, transaction_id)
    return _detail(session, one)


def _read(session: Session, transaction_id: str) -> dict[str, Any]:
    one = ledger.require_transaction(session, caller().program_id, transaction_id)
    member = members.require(session, one.program_id, one.member_id)
    return _detail(session, one, voice(member.locale))


class _Whose(NamedTuple):
    """Whose history it is, and whether time has changed something that is not posted yet."""

    id: str
    locale: str | None
    is_due: bool


def _whose(session: Session, program_id: str, ref: str) -> _Whose:
    member = members.require(session, program_id, ref, param="ref")
    is_due = ledger.is_due(session, program_id, member.id)
    return _Whose(member.id, member.locale, is_due)


def _history(session: Session, whose: _Whose, page: Page) -> dict[str, Any]:
    program_id = caller().program_id
    rows = ledger.page(session, program_id, whose.id, page)
    ids = [row.id for row in rows]
    moves = ledger.moves_of(session, program_id, ids)
    gestures = adjustments.find_by_transaction(session, program_id, ids)
    said = explaining.sentences(session, voice(whose.locale), rows, moves)

    def render(row: Transaction) -> Any:
        return TRANSACTION_OUT.dump(_fill(row, moves[row.id], gestures.get(row.id), said[row.id]))

    return listed(rows, page, render)


def _detail(session: Session, one: Transaction, speaker: Voice = ENGLISH) -> dict[str, Any]:
    moves = ledger.moves_of(session, one.program_id, [one.id])
    gesture = adjustments.find_by_transaction(session, one.program_id, [one.id]).get(one.id)
    said = explaining.sentences(session, speaker, [one], moves)
    filled = _fill(one, moves[one.id], gesture, said[one.id])
    postings = [
        {"debit": str(move.debit), "credit": str(move.credit), "points": move.points}
        for move in moves[one.id]
    ]
    chain = {"hash": one.hash, "previous_hash": one.previous_hash}
    explanation = explaining.structure(one)
    detail: dict[str, Any] = {"postings": postings, "explanation": explanation, **chain}
    if caller().scope in ("staff", "admin"):
        detail["note"] = gesture.note if gesture else None
        for role in ("actor", "approved_by"):
            detail[role] = access.name_of(session, one.program_id, explanation.get(role))
    dumped: dict[str, Any] = TRANSACTION_DETAIL.dump({**filled, **detail})
    return dumped


def _fill(
    one: Transaction, moves: list[Move], gesture: adjustments.Adjustment | None, said: str
) -> dict[str, Any]:
    return {
        "id": one.id,
        "member": one.member_id,
        "sequence": one.sequence,
        "kind": one.kind,
        "points": ledger.total_change(moves),
        "occurred_at": one.occurred_at,
        "recorded_at": one.recorded_at,
        "corrects": one.corrects_id,
        "summary": said,
        "customer_note": gesture.customer_note if gesture else None,
        "balance_after": {figure: getattr(one, f"{figure}_after") for figure in FIGURES},
    }
