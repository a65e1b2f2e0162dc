"""/v1/events: everything that earns and is not an order, once per event id."""

from decimal import Decimal
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api import shapes
from loyalty_service.api.fields import (
    FIELDS,
    Body,
    Choice,
    Coded,
    Fault,
    Id,
    Moment,
    Object,
    Text,
    fault,
    too_long,
)
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.writing import kept, once
from loyalty_service.domain import ledger
from loyalty_service.domain.events import recording as events
from loyalty_service.domain.events import table
from loyalty_service.domain.events.data import MAX_CHARACTERS
from loyalty_service.domain.events.recording import EventToRecord
from loyalty_service.domain.idempotency import Answer
from loyalty_service.domain.limits import INTEGER_MAX

blueprint = Blueprint("events", __name__, url_prefix="/v1/events", description="Events")

MAX_FIELDS = 50
# Of a field's name: a program declares none that is longer.
MAX_NAME_CHARACTERS = 40


class Data(Coded):
    """Texts, whole numbers and truth values by name, as the program declares them for a type."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {
            "type": "object",
            "maxProperties": MAX_FIELDS,
            "additionalProperties": {
                "type": ["string", "integer", "boolean"],
                "maxLength": MAX_CHARACTERS,
                "minimum": -INTEGER_MAX,
                "maximum": INTEGER_MAX,
            },
            **kwargs.get("metadata", {}),
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise fault("wrong_type", "must be an object")
        if len(value) > MAX_FIELDS:
            raise too_long(MAX_FIELDS, FIELDS)
        faults = {name: why for name, one in value.items() if (why := _why_not(name, one))}
        if faults:
            raise ma.ValidationError({name: [why] for name, why in faults.items()})
        return {name: int(one) if _is_number(one) else one for name, one in value.items()}

    def _kind(self) -> str:
        return "an object"


class EventIn(Body):
    """Something that happened to a member."""

    id = Id(required=True, metadata={"description": "The shop's event id, without slashes."})
    type = Text(max=40, required=True, metadata={"description": "As the program declares it."})
    member = Text(max=210, required=True, metadata={"description": "mem_… or ext:<your id>."})
    occurred_at = Moment(required=True)
    data = Data(load_default=dict)

    @ma.post_load
    def _event(self, fields: dict[str, Any], **_kwargs: Any) -> EventToRecord:
        return EventToRecord(**fields)


class EventOut(ma.Schema):
    """A recorded event and what it earned; `waiting` until the member's first order."""

    object = Object("event")
    id = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    member = ma.fields.String(required=True, attribute="member_id")
    status = Choice((table.RECORDED, table.WAITING), required=True)
    occurred_at = Moment(required=True)
    points_earned = ma.fields.Integer(
        required=True,
        metadata={
            "maximum": INTEGER_MAX,
            "description": "What it is due as it stands: 0 once it was taken back.",
        },
    )
    available_at = Moment(required=True, allow_none=True)
    transaction = ma.fields.String(required=True, attribute="transaction_id")
    balance = ma.fields.Nested(shapes.BalanceOut, required=True)


EVENT_OUT = EventOut()


@blueprint.route("", methods=["POST"])
@allow("checkout")
@refuses(
    errors.EventConflict,
    errors.EventInFuture,
    errors.EventTooLate,
    errors.MemberClosed,
    errors.MemberNotFound,
    errors.PointsTooMany,
    errors.ProgramNotApplied,
    errors.SelfReferral,
)
@blueprint.arguments(EventIn)
@blueprint.response(201, EventOut)
@blueprint.alt_response(200, schema=EventOut, description="Just this event is recorded already")
def record(event: EventToRecord) -> Any:
    """Record an event; it earns once, however often it is sent."""

    def work(session: Session) -> Answer:
        made = events.record(session, caller().program_id, event)
        return kept(201 if made.created else 200, _fill(made.event, made.balance), event.id)

    return once(work, show)


@blueprint.route("/<event_id>", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.EventNotFound)
@blueprint.response(200, EventOut)
def get(event_id: str) -> Any:
    """A recorded event by the shop's id."""
    return db.read(lambda session: show(session, event_id))


def show(session: Session, event_id: str) -> dict[str, Any]:
    """An event's JSON as it stands."""
    row = table.require(session, caller().program_id, event_id)
    balance = ledger.balance(session, row.program_id, row.member_id)
    return _fill(table.as_it_stands(session, row), balance)


def _fill(event: dict[str, Any], balance: ledger.Balance) -> dict[str, Any]:
    dumped: dict[str, Any] = EVENT_OUT.dump({**event, "balance": balance})
    return dumped


def _why_not(name: str, value: Any) -> Fault | None:
    """Why no event takes this at all; what of it fits the type is checked in the domain."""
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        return Fault("unknown_field", "is not a field of any event")
    if isinstance(value, bool) or (isinstance(value, str) and len(value) <= MAX_CHARACTERS):
        return None
    if isinstance(value, str):
        return Fault("too_long", f"may have at most {MAX_CHARACTERS} characters")
    # Bounds first: turning 1e999999 into an integer would take the memory it pretends to.
    if _is_number(value) and -INTEGER_MAX <= value <= INTEGER_MAX and value == int(value):
        return None
    return Fault("wrong_type", "must be a text, a whole number, true or false")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
