"""What has a code: a redemption or a thank-you discount, from the promise of its code to its end.

Either noun keeps its own table and says its own refusals; what may become what, and what a row says
of its code, is the same for both and stands here.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    literal_column,
    not_,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, ids
from loyalty_service.domain import jobs
from loyalty_service.domain.notices import untold
from loyalty_service.domain.program.document import Settlement
from loyalty_service.errors import Refusal
from loyalty_service.statements import Statement, Values, together

PENDING, ISSUED, FAILED = "pending", "issued", "failed"
CANCELLING, CANCELLED, EXPIRING, EXPIRED, USED = (
    "cancelling",
    "cancelled",
    "expiring",
    "expired",
    "used",
)
TRANSITIONS = {
    PENDING: {ISSUED, FAILED},
    ISSUED: {USED, CANCELLING, EXPIRING},
    CANCELLING: {CANCELLED, USED},
    EXPIRING: {EXPIRED, USED},
    # Learnt late: the code had been used all the same.
    CANCELLED: {USED},
    EXPIRED: {USED},
    FAILED: {USED},
    USED: set[str](),
}
UNDER_WAY = (PENDING, CANCELLING)
ENDING = (CANCELLING, EXPIRING)
CAME_TO_NOTHING = (FAILED, CANCELLED)
ISSUE_CODE, WITHDRAW_CODE = "issue_code", "withdraw_code"

_COUPON_HEX_DIGITS = 12


Row = TypeVar("Row")


class HasCode(Protocol):
    """A row of either noun; its code is ours, and known before Stripe is asked.

    Amounts are minor units of `currency`; `program_version` decided, and names the issuer's key.
    """

    program_id: str
    id: str
    member_id: str
    program_version: int
    status: str
    settlement: str
    currency: str
    amount_off_minor: int | None
    percent_off: str | None
    minimum_order_minor: int | None
    coupon_id: str
    promotion_code_id: str | None
    expires_at: datetime | None
    used_at: datetime | None

    @property
    def name(self) -> str:
        """What it is for, as customers read it."""

    @property
    def code(self) -> str | None:
        """The code, whether or not anybody honours it yet; None where nothing was given."""


class Refusals(NamedTuple):
    """With what a noun says no: the code is being made, it is over, it is no good, it is not ours
    to count."""

    pending: type[Refusal]
    final: type[Refusal]
    not_usable: type[Refusal]
    used_at_stripe: type[Refusal]


class Promised(NamedTuple, Generic[Row]):
    """A row, the promise of its code (None where it has one), the variable that names the issuer's
    key, and the issuer's own name for the member."""

    row: Row
    promise: jobs.Claimed | None
    api_key_env: str | None
    customer_id: str | None = None


class Worth(NamedTuple):
    """What a code takes off: minor units or a percentage, or neither."""

    amount_off_minor: int | None
    percent_off: Fraction | None


def become(row: HasCode, status: str) -> None:
    """Change the status; a step that the table does not have is our own bug."""
    allowed = TRANSITIONS.get(row.status, set())
    assert status in allowed, f"{row.id} can't go from {row.status} to {status}"
    row.status = status


def is_settled_here(row: HasCode) -> bool:
    """True where the shop gives it itself, and Stripe knows nothing of it."""
    return row.settlement == Settlement.APP_APPLIED


def usable_code(row: HasCode) -> str | None:
    """The code, once somebody honours it."""
    return row.code if row.promotion_code_id or is_settled_here(row) else None


def status_at(row: HasCode, at: datetime) -> str:
    """The status as time has it: a code whose life is over can't be used, whoever looks."""
    is_over = row.expires_at is not None and row.expires_at <= at
    return EXPIRING if row.status == ISSUED and is_over else row.status


def stands(table: Any, status: str, at: datetime) -> ColumnElement[bool]:
    """A condition on rows of a table: they have a status as time has it, see `status_at`."""
    is_over = and_(table.status == ISSUED, table.expires_at.is_not(None), table.expires_at <= at)
    if status == EXPIRING:
        return or_(table.status == EXPIRING, is_over)
    mine: ColumnElement[bool] = table.status == status
    return and_(mine, not_(is_over)) if status == ISSUED else mine


def not_its_own(row: HasCode, promotion_code_id: str) -> str | None:
    """Why the use of a code at Stripe that names a row says nothing of the row; None where it does.

    Until its code is known any that names it may be it; a person may copy one later.
    """
    if row.code is None:
        return "nothing was given with it"
    if is_settled_here(row):
        return "its code is the shop's to honour, not Stripe's"
    if row.promotion_code_id not in (None, promotion_code_id):
        return "it has another code; this one is a copy"
    return None


def percent(row: HasCode) -> Fraction | None:
    """The exact percentage off, where the discount is one."""
    return Fraction(row.percent_off) if row.percent_off else None


def new(settlement: Settlement, worth: Worth, currency: str, coupon: str) -> dict[str, Any]:
    """The columns of a code that is promised, or good at once where the shop settles it."""
    is_ours = settlement is Settlement.APP_APPLIED
    return {
        "status": ISSUED if is_ours else PENDING,
        "code": ids.code(),
        "currency": currency,
        "amount_off_minor": worth.amount_off_minor,
        "percent_off": str(worth.percent_off) if worth.percent_off is not None else None,
        "coupon_id": "" if is_ours else coupon,
        "promotion_code_id": None,
        "failure": None,
        "settlement": settlement.value,
        "used_at": None,
    }


def coupon_id(content: Mapping[str, object], worth: Worth, currency: str) -> str:
    """Name a coupon by what it is, so that versions with equal content share it."""
    whole = dict(content)
    if worth.amount_off_minor is not None:
        whole |= {"amount_off": worth.amount_off_minor, "currency": currency}
    if worth.percent_off is not None:
        whole |= {"percent_off": percent_text(worth.percent_off)}
    return f"loy_{canonical.sha256(canonical.dumps(whole))[:_COUPON_HEX_DIGITS]}"


def percent_text(percent_off: Fraction) -> str:
    """Write a percentage of at most two decimals without a trailing zero: "12.5"."""
    hundredths = percent_off * 100
    whole, rest = divmod(int(hundredths), 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def issuing(table: Any) -> Statement:
    """A statement that makes a pending row of a table issued: the code exists."""
    return Statement(
        update(table)
        .where(table.program_id == bindparam("of_program"), table.id == bindparam("ref"))
        .where(table.status == literal_column(f"'{PENDING}'"))
        .values(status=literal_column(f"'{ISSUED}'"), promotion_code_id=bindparam("made"))
        .returning(table.id)
    )


def telling_issued(table: Any, type_: str) -> Statement:
    """A statement that announces the type of a row of a table which is issued.

    Where the code was there before, the notice is as well: it is told once.
    """
    return untold.about(
        select(
            table.program_id,
            table.member_id,
            literal_column(f"'{type_}'"),
            table.id,
            bindparam("at", type_=untold.MOMENT),
            null(),
        )
        .where(table.program_id == bindparam("of_program"), table.id == bindparam("ref"))
        .where(table.status == literal_column(f"'{ISSUED}'")),
        bindparam("of_program"),
    )


def issued(
    session: Session,
    issue: Statement,
    tell: Statement,
    program_id: str,
    row_id: str,
    promotion_code_id: str,
    *then: tuple[Statement, Values],
) -> bool:
    """Run a statement of `issuing`, one of `telling_issued`, and `then` the same way.

    False where it was not pending. No points move, so that the row itself is lock enough.
    """
    assert ISSUED in TRANSITIONS[PENDING]
    mine = {"of_program": program_id, "ref": row_id}
    made, told = {**mine, "made": promotion_code_id}, {**mine, "at": clock.now()}
    changed, *_ = together(session, [(issue, made), (tell, told), *then])
    return bool(changed)


def is_to_cancel(row: HasCode, now: datetime, refusals: Refusals) -> bool:
    """Say whether taking a code back has still to begin; raises `pending` and `final`."""
    if row.status == PENDING:
        raise refusals.pending(f"{row.id} has no code yet; try again in a moment.", param="id")
    if row.status in (CANCELLING, CANCELLED):
        return False
    if CANCELLING not in TRANSITIONS.get(row.status, set()):
        raise refusals.final(f"{row.id} is {row.status}.", param="id")
    _require_life(row, now, refusals.final)
    return True


def begin_to_end(
    session: Session, row: HasCode, status: str, *, lease_seconds: int = 0
) -> jobs.Claimed | None:
    """Make an issued code one that is being cancelled or that expires; the promise to withdraw it.

    None where the shop settles it itself: there is nobody to ask, and it ends at once.
    """
    become(row, status)
    session.flush()
    if is_settled_here(row):
        return None
    return jobs.promise(session, row.program_id, WITHDRAW_CODE, row.id, lease_seconds=lease_seconds)


def withdrawn_by_hand(
    session: Session, row: HasCode, promotion_code_id: str, now: datetime
) -> bool:
    """Begin to cancel what a person has withdrawn at Stripe; False where nothing follows.

    It was over before then, or has another code than this one.
    """
    if status_at(row, now) != ISSUED or row.promotion_code_id != promotion_code_id:
        return False
    begin_to_end(session, row, CANCELLING)
    return True


def become_used(session: Session, row: HasCode, now: datetime) -> None:
    """The code is used, or turns out to have been."""
    become(row, USED)
    row.used_at = now
    session.flush()


def ended(
    session: Session, table: Any, limit: int, besides: Collection[str]
) -> list[tuple[str, str]]:
    """Program and id of issued rows whose life is over, oldest first."""
    rows = session.execute(
        select(table.program_id, table.id)
        .where(table.status == ISSUED, table.expires_at <= clock.now())
        .where(table.id.not_in(besides))
        .order_by(table.expires_at)
        .limit(limit)
    )
    return [(program_id, row_id) for program_id, row_id in rows]


def note_use(session: Session, row: HasCode, promotion_code_id: str, now: datetime) -> None:
    """Stripe honoured the code, whatever we knew of it."""
    if row.status == PENDING:
        # The code was made, and used, before we heard that it was made.
        become(row, ISSUED)
    row.promotion_code_id = row.promotion_code_id or promotion_code_id
    become_used(session, row, now)


def use(session: Session, row: HasCode, refusals: Refusals) -> None:
    """The shop has given what the code is for: once. Raises `used_at_stripe` and `not_usable`."""
    # No points move: the row's own lock settles who came first, a use or a cancellation.
    session.refresh(row, with_for_update={"key_share": True})
    if not is_settled_here(row):
        raise refusals.used_at_stripe(
            f"Stripe honours the code of {row.id} and counts its use.", param="id"
        )
    if row.status != ISSUED:
        raise refusals.not_usable(f"{row.id} is {row.status}.", param="id")
    now = clock.now()
    _require_life(row, now, refusals.not_usable)
    become_used(session, row, now)


def _require_life(row: HasCode, now: datetime, refusal: type[Refusal]) -> None:
    if row.expires_at is not None and row.expires_at <= now:
        ended = canonical.timestamp(row.expires_at)
        raise refusal(f"The code of {row.id} ended at {ended}.", param="id")
