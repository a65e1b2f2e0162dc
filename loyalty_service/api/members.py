"""/v1/members: enrol, find, change, and what a member has."""

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api import shapes
from loyalty_service.api.fields import Birthday, Body, Choice, Email, Id, Moment, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.paging import PageQuery, list_schema, listed, page_of
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.speaking import speaks, voice
from loyalty_service.api.tiers import ProgressOut
from loyalty_service.api.writing import living, once
from loyalty_service.domain import ledger, looking, members, search
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.members import Member
from loyalty_service.domain.tiers import showing, words
from loyalty_service.domain.tiers.progress import Progress

blueprint = Blueprint("members", __name__, url_prefix="/v1/members", description="Customers")
STATUSES = tuple(members.TRANSITIONS)
FIELDS = (
    "id",
    "external_id",
    "email",
    "name",
    "birthday",
    "locale",
    "stripe_customer_id",
    "status",
    "enrolled_at",
)
CUSTOMER = "The customer's id at Stripe, cus_…; codes are then for this customer alone."


class MemberIn(Body):
    """A customer to enrol."""

    external_id = Id(
        required=True, metadata={"description": "The shop's own customer id, without slashes."}
    )
    email = Email()
    name = Text()
    birthday = Birthday()
    locale = Text(max=35, metadata={"description": "A language tag such as de-AT."})
    stripe_customer_id = Text(max=80, metadata={"description": CUSTOMER})


class MemberChange(Body):
    """What may change."""

    email = Email(allow_none=True)
    name = Text(allow_none=True)
    birthday = Birthday(allow_none=True)
    locale = Text(max=35, allow_none=True)
    stripe_customer_id = Text(max=80, allow_none=True, metadata={"description": CUSTOMER})
    status = Choice(STATUSES)


class MemberOut(ma.Schema):
    """A member with the balance and the tier."""

    object = Object("member")
    id = ma.fields.String(required=True)
    external_id = ma.fields.String(required=True)
    email = ma.fields.String(required=True, allow_none=True)
    name = ma.fields.String(required=True, allow_none=True)
    birthday = ma.fields.Date(required=True, allow_none=True)
    locale = ma.fields.String(required=True, allow_none=True)
    stripe_customer_id = ma.fields.String(required=True, allow_none=True)
    status = Choice(STATUSES, required=True)
    enrolled_at = Moment(required=True)
    balance = ma.fields.Nested(shapes.BalanceOut, required=True)
    tier = ma.fields.Nested(
        ProgressOut,
        required=True,
        allow_none=True,
        metadata={"description": "Null where the program has no tiers."},
    )


MEMBER_OUT = MemberOut()


class MemberQuery(PageQuery):
    """Whom to find."""

    q = Text(
        load_default=None,
        metadata={"description": "An e-mail, id, external id, order id, code, or start of a name."},
    )


class BalanceQuery(Body):
    """When."""

    at = Moment(load_default=None, metadata={"description": "A past or future moment."})


@blueprint.route("", methods=["POST"])
@allow("checkout", "staff")
@refuses(errors.MemberExists, errors.StripeCustomerTaken)
@blueprint.arguments(MemberIn)
@blueprint.response(201, MemberOut)
@blueprint.alt_response(200, schema=MemberOut, description="Just this member exists already")
def enrol(fields: dict[str, Any]) -> Any:
    """Enrol a customer; once per external id."""

    def work(session: Session) -> Answer:
        member, created = members.enrol(session, caller().program_id, **fields)
        return living(201 if created else 200, member.id)

    return once(work, show)


@blueprint.route("", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.CursorNotFound)
@blueprint.arguments(MemberQuery, location="query")
@blueprint.response(200, list_schema(MemberOut))
def find(query: dict[str, Any]) -> Any:
    """Find members, newest first, each with the balance and the tier."""
    page = page_of(query)
    program_id = caller().program_id

    def work(session: Session) -> dict[str, Any]:
        rows = search.find_members(session, program_id, query["q"], page)
        balances = ledger.balances_now(session, program_id, [row.id for row in rows])
        tiers = showing.shown(session, program_id, rows)
        return listed(rows, page, lambda row: fill(row, balances[row.id], tiers.get(row.id)))

    return db.read(work)


@blueprint.route("/<ref>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@speaks
@refuses(errors.MemberNotFound)
@blueprint.response(200, MemberOut)
def get(ref: str) -> Any:
    """A member by `mem_…` or `ext:<the shop's id>`."""
    return db.read(lambda session: show(session, ref))


@blueprint.route("/<ref>", methods=["PATCH"])
@allow("checkout", "staff")
@speaks
@refuses(errors.MemberNotFound, errors.MemberStatusFinal, errors.StripeCustomerTaken)
@blueprint.arguments(MemberChange)
@blueprint.response(200, MemberOut)
def change(fields: dict[str, Any], ref: str) -> Any:
    """Change particulars or status."""
    program_id = caller().program_id

    def work(session: Session) -> dict[str, Any]:
        member = members.require(session, program_id, ref, param="ref")
        return show(session, members.change(session, member, **fields).id)

    return db.transaction(work)


@blueprint.route("/<ref>/balance", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.MemberNotFound)
@blueprint.arguments(BalanceQuery, location="query")
@blueprint.response(200, shapes.BalanceOut)
def balance(query: dict[str, Any], ref: str) -> Any:
    """What a member has now, had at a past moment, or will have at a future one."""
    program_id = caller().program_id
    now = None if query["at"] else looking.balance_now(program_id, ref)
    if now:
        return shapes.balance(now)

    def work(session: Session) -> Any:
        member = members.require(session, program_id, ref, param="ref")
        return shapes.balance(ledger.balance(session, program_id, member.id, query["at"]))

    return db.read(work)


def show(session: Session, ref: str) -> dict[str, Any]:
    """A member's JSON as it stands."""
    program_id = caller().program_id
    member = members.require(session, program_id, ref, param="ref")
    tier = showing.shown(session, program_id, [member]).get(member.id)
    return fill(member, ledger.balance(session, program_id, member.id), tier)


def fill(member: Member, balance: ledger.Balance, tier: Progress | None) -> dict[str, Any]:
    """A member, a balance and a tier as JSON-able values."""
    values: dict[str, Any] = {name: getattr(member, name) for name in FIELDS}
    told = tier and {**asdict(tier), "sentences": words.sentences(voice(member.locale), tier)}
    dumped: dict[str, Any] = MEMBER_OUT.dump({**values, "balance": balance, "tier": told})
    return dumped
