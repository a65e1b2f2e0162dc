"""/v1/discounts: thank-you discounts, which cost no points."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import clock, db, errors, wording
from loyalty_service.api.coded import (
    DiscountOut,
    Written,
    lease_seconds,
    settled,
    show_cancelled,
    worth,
)
from loyalty_service.api.fields import Body, Choice, Moment, Nothing, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.speaking import speaks, voice
from loyalty_service.api.writing import living, once
from loyalty_service.domain import access, codes, discounts, members
from loyalty_service.domain.discounts import WITHHELD, Discount, Wish, saying
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.program.document import Settlement, TriggerKind
from loyalty_service.wording import Voice

blueprint = Blueprint(
    "discounts", __name__, url_prefix="/v1/discounts", description="Thank-you discounts"
)
STATUSES = (*codes.TRANSITIONS, WITHHELD)
ENGLISH = wording.voice("en")


class ThanksIn(Body):
    """Who gets which offer, and why."""

    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    offer = Text(
        max=40, required=True, metadata={"description": "An offer of the program for staff."}
    )
    reason = Text(max=40, required=True, metadata={"description": "One of the program's reasons."})


class ThanksOut(ma.Schema):
    """A thank-you discount; `code` is there once Stripe honours it, or the shop itself."""

    object = Object("discount")
    id = ma.fields.String(required=True)
    member = ma.fields.String(required=True)
    status = Choice(
        STATUSES,
        required=True,
        metadata={"description": "As of redemptions; `withheld`: it was due and was not given."},
    )
    offer = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    trigger = Choice([kind.value for kind in TriggerKind], required=True)
    reason = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Of what staff gave."}
    )
    summary = ma.fields.String(
        required=True,
        metadata={
            "description": "One plain sentence for the customer: what it is for. Always English "
            "in the answer to a POST."
        },
    )
    code = ma.fields.String(required=True, allow_none=True)
    discount = ma.fields.Nested(DiscountOut, required=True)
    settlement = Choice(
        [kind.value for kind in Settlement],
        required=True,
        metadata={"description": "Who turns the code into the discount: Stripe, or the shop."},
    )
    gives = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "What it gives, in words."}
    )
    failure = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Why there is no code; of a withheld one `budget_exceeded` or "
            "`offer_given_lately`."
        },
    )
    actor = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Who gave it. Staff only."}
    )
    created_at = Moment(required=True)
    expires_at = Moment(required=True, allow_none=True)
    used_at = Moment(required=True, allow_none=True)


class DiscountQuery(PageQuery):
    """Whose, which, or how they stand."""

    member = Text(max=210, load_default=None, metadata={"description": "mem_… or ext:<your id>."})
    status = Choice(STATUSES, load_default=None)
    code = Text(
        max=40, load_default=None, metadata={"description": "A code, with or without hyphens."}
    )


class Known(NamedTuple):
    """What is to be known beside the rows: rules by version, and who gave, for whom may see it."""

    versions: saying.Versions
    actors: Mapping[str, str]


THANKS_OUT = ThanksOut()


@blueprint.route("", methods=["POST"])
@allow("staff")
@refuses(
    errors.BudgetExceeded,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.MemberSuspended,
    errors.OfferGivenLately,
    errors.OfferNotForStaff,
    errors.OfferNotFound,
    errors.ProgramNotApplied,
    errors.ReasonNotKnown,
)
@blueprint.arguments(ThanksIn)
@blueprint.response(201, ThanksOut)
@blueprint.alt_response(202, schema=ThanksOut, description="The code follows in a moment")
def give(fields: dict[str, Any]) -> Any:
    """Give a thank-you discount by hand: 201 with the code, or 202 while Stripe takes its time."""
    written: list[Written] = []

    def work(session: Session) -> Answer:
        made = discounts.give(session, caller(), Wish(**fields), lease_seconds=lease_seconds())
        written[:] = [Written(made.row, made.promise, made)]
        return living(201, made.row.id)

    return settled(work, written, show, _rendered)


@blueprint.route("", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.CursorNotFound, errors.MemberNotFound)
@blueprint.arguments(DiscountQuery, location="query")
@blueprint.response(200, list_schema(ThanksOut))
def find(query: dict[str, Any]) -> Any:
    """Thank-you discounts, newest first; what was withheld is for staff and reports only."""
    page = page_of(query)
    program_id = caller().program_id

    def work(session: Session) -> dict[str, Any]:
        named = query["member"]
        member = members.require(session, program_id, named) if named else None
        rows = discounts.listed(
            session,
            program_id,
            member.id if member else None,
            page,
            status=query["status"],
            code=query["code"],
            withheld=_sees_withheld(),
        )
        speaker = voice(member.locale if member else None)
        known = _known(session, rows)
        return listed(rows, page, lambda row: _fill(row, known, speaker))

    return db.read(work)


@blueprint.route("/<discount_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.DiscountNotFound)
@blueprint.response(200, ThanksOut)
def get(discount_id: str) -> Any:
    """A thank-you discount as it stands."""

    def work(session: Session) -> dict[str, Any]:
        row = _require(session, discount_id)
        member = members.require(session, row.program_id, row.member_id)
        return _fill(row, _known(session, [row]), voice(member.locale))

    return db.read(work)


@blueprint.route("/<discount_id>/cancel", methods=["POST"])
@allow("staff")
@refuses(errors.DiscountFinal, errors.DiscountNotFound, errors.DiscountPending)
@blueprint.arguments(Nothing)
@blueprint.response(200, ThanksOut)
@blueprint.alt_response(202, schema=ThanksOut, description="Stripe takes its time")
def cancel(fields: dict[str, Any], discount_id: str) -> Any:
    """Take an unused code back: it dies at Stripe first, then its budget gets back what it paid."""
    written: list[Written] = []

    def work(session: Session) -> Answer:
        found = _require(session, discount_id)
        row, promise = discounts.ask_to_cancel(
            session, found.program_id, found.id, lease_seconds=lease_seconds()
        )
        written[:] = [Written(row, promise)]
        return living(200, row.id)

    shown_by = show_cancelled(show, errors.DiscountFinal)
    return settled(work, written, show, _rendered, shown_by=shown_by)


@blueprint.route("/<discount_id>/use", methods=["POST"])
@allow("checkout", "staff")
@refuses(errors.DiscountNotFound, errors.DiscountNotUsable, errors.DiscountUsedAtStripe)
@blueprint.arguments(Nothing)
@blueprint.response(200, ThanksOut)
def use(fields: dict[str, Any], discount_id: str) -> Any:
    """Say that the shop has given what an `app_applied` discount is for; once."""

    def work(session: Session) -> Answer:
        row = _require(session, discount_id)
        return living(200, discounts.use(session, row.program_id, row.id).id)

    return once(work, show)


def show(session: Session, discount_id: str) -> dict[str, Any]:
    """A discount's JSON, in English: what is kept under a key must not depend on who reads."""
    row = _require(session, discount_id)
    return _fill(row, _known(session, [row]), ENGLISH)


def _known(session: Session, rows: Sequence[Discount]) -> Known:
    """Read once for a page, whatever stands on it."""
    program_id, is_staff = caller().program_id, caller().scope in ("staff", "admin")
    actors = {row.actor_id for row in rows if row.actor_id} if is_staff else ()
    return Known(
        saying.versions_of(session, program_id, rows),
        access.names_of(session, program_id, actors),
    )


def _fill(row: Discount, known: Known, speaker: Voice) -> dict[str, Any]:
    """A discount as JSON-able values; the code only once it is honoured."""
    values = {
        "id": row.id,
        "member": row.member_id,
        "status": codes.status_at(row, clock.now()),
        "offer": row.offer_id,
        "name": row.name,
        "trigger": row.trigger,
        "reason": row.reason,
        "summary": saying.sentence(speaker, row, known.versions),
        "code": codes.usable_code(row),
        "discount": worth(row),
        "settlement": row.settlement,
        "gives": row.gives,
        "failure": row.failure,
        "actor": known.actors.get(row.actor_id or ""),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "used_at": row.used_at,
    }
    dumped: dict[str, Any] = THANKS_OUT.dump(values)
    return dumped


def _rendered(row: Discount) -> dict[str, Any]:
    return db.read(lambda session: _fill(row, _known(session, [row]), ENGLISH))


def _require(session: Session, discount_id: str) -> Discount:
    row = discounts.require(session, caller().program_id, discount_id)
    if row.status == WITHHELD and not _sees_withheld():
        raise errors.DiscountNotFound(f"There is no discount {discount_id!r}.", param="id")
    return row


def _sees_withheld() -> bool:
    """What was not given is nothing that a customer should be shown."""
    return caller().scope != "checkout"
