"""Members: who they are to the shop, and whether they may earn and spend.

A member's particulars live here alone, in rows that can be erased; the ledger knows ids only.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Index,
    String,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import clock, ids
from loyalty_service.db import Base, Id, ProgramId, TakenMeanwhile, insert_unless_there
from loyalty_service.domain import inbox
from loyalty_service.domain.ledger.book import look_for_thanks, open_account
from loyalty_service.domain.lists import Page, newest_first
from loyalty_service.errors import (
    MemberClosed,
    MemberExists,
    MemberNotFound,
    MemberStatusFinal,
    MemberSuspended,
    StripeCustomerTaken,
)

ACTIVE, SUSPENDED, CLOSED = "active", "suspended", "closed"
TRANSITIONS = {ACTIVE: {SUSPENDED, CLOSED}, SUSPENDED: {ACTIVE, CLOSED}, CLOSED: set[str]()}
EXTERNAL = "ext:"


class Member(Base):
    """One customer in one program. `external_id` is the shop's own id."""

    __tablename__ = "members"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320))
    name: Mapped[str | None] = mapped_column(String(200))
    birthday: Mapped[date | None]
    locale: Mapped[str | None] = mapped_column(String(35))
    status: Mapped[str] = mapped_column(String(12), server_default=ACTIVE)
    merged_into: Mapped[str | None] = mapped_column(Id)
    stripe_customer_id: Mapped[str | None] = mapped_column(String(80))
    enrolled_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("program_id", "external_id"),
        CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status_known"),
        Index("ix_members_email", "program_id", text("lower(email)")),
        Index("uq_members_stripe_customer", "program_id", "stripe_customer_id", unique=True),
    )


KNOWN_COLUMNS = (
    Member.id,
    Member.status,
    Member.birthday,
    Member.enrolled_at,
    Member.locale,
    Member.stripe_customer_id,
)


class Known(NamedTuple):
    """What a verb has to know of a member."""

    id: str
    status: str
    birthday: date | None
    enrolled_at: datetime
    locale: str | None = None
    stripe_customer_id: str | None = None


def enrol(
    session: Session, program_id: str, external_id: str, **particulars: Any
) -> tuple[Member, bool]:
    """Enrol a customer and open the account; (the member, False) where the member exists.

    What Stripe told of the customer's before is taken in now. Raises MemberExists when one of the
    particulars that are given is another, and StripeCustomerTaken.
    """
    now = clock.now()
    values = {
        "program_id": program_id,
        "id": ids.new("mem"),
        "external_id": external_id,
        "enrolled_at": now,
        "updated_at": now,
        **particulars,
    }
    customer_id = particulars.get("stripe_customer_id")
    if customer_id:
        inbox.take_turns(session, program_id, customer_id)
    _require_own_customer(session, program_id, external_id, customer_id)
    if insert_unless_there(session, Member, values):
        open_account(session, program_id, values["id"])
        if customer_id:
            inbox.release(session, program_id, customer_id)
        return session.get_one(Member, (program_id, values["id"])), True
    found = _find(session, program_id, EXTERNAL + external_id)
    if found is None:
        # Somebody else has just become this customer at Stripe.
        raise TakenMeanwhile(external_id)
    member = found
    others = [name for name, value in particulars.items() if value != getattr(member, name)]
    if others:
        raise MemberExists(
            f"Member {member.id} has external_id {external_id!r} and another "
            f"{', another '.join(others)}; change the member instead of enrolling again.",
            param=others[0],
        )
    return member, False


def require(session: Session, program_id: str, ref: str, *, param: str = "member") -> Member:
    """The member named by `mem_…` or `ext:<the shop's id>`; raises MemberNotFound."""
    found = _find(session, program_id, ref)
    if found is None:
        raise not_found(ref, param)
    return found


def id_of(session: Session, program_id: str, ref: str | None) -> str | None:
    """The id of the member that is named, None where nobody is; raises MemberNotFound."""
    return require(session, program_id, ref).id if ref else None


def are_one(session: Session, program_id: str, ref: str, other: str) -> bool:
    """Say whether two names are one member's; a name that nobody has is only itself."""
    if ref == other:
        return True
    found, also = _find(session, program_id, ref), _find(session, program_id, other)
    return found is not None and also is not None and found.id == also.id


def not_found(ref: str, param: str = "member") -> MemberNotFound:
    """The refusal of a name that nobody has."""
    return MemberNotFound(
        f"There is no member {ref!r}; name one as mem_… or ext:<your customer id>.", param=param
    )


def require_earning(member: Known | Member) -> None:
    """Closed members earn no more; raises MemberClosed."""
    if member.status == CLOSED:
        raise MemberClosed(f"Member {member.id} is closed.", param="member")


def require_spending(member: Known | Member) -> None:
    """Only active members spend; raises MemberClosed or MemberSuspended."""
    require_earning(member)
    if member.status == SUSPENDED:
        raise MemberSuspended(f"Member {member.id} is suspended.", param="member")


def change(session: Session, member: Member, **changes: Any) -> Member:
    """Change particulars or status; what Stripe told of a new customer before is taken in now.

    Raises MemberStatusFinal for a status that can't follow, and StripeCustomerTaken.
    """
    customer_id = changes.get("stripe_customer_id")
    if customer_id:
        inbox.take_turns(session, member.program_id, customer_id)
    # Lock before reading: somebody may close the membership at the same moment.
    session.refresh(member, with_for_update={"key_share": True})
    status = changes.get("status", member.status)
    if status != member.status and status not in TRANSITIONS[member.status]:
        raise MemberStatusFinal(
            f"Member {member.id} is {member.status} and can't become {status}.", param="status"
        )
    _require_own_customer(session, member.program_id, member.external_id, customer_id)
    has_other_days = changes.get("birthday", member.birthday) != member.birthday
    for name, value in changes.items():
        setattr(member, name, value)
    member.updated_at = clock.now()
    try:
        session.flush()
    except IntegrityError as error:
        raise TakenMeanwhile(member.id) from error
    if has_other_days:
        look_for_thanks(session, member.program_id, member.id)
    if customer_id:
        inbox.release(session, member.program_id, customer_id)
    return member


def find_by_customer(session: Session, program_id: str, customer_id: str) -> Member | None:
    """The member who is a customer at Stripe."""
    return session.scalar(
        select(Member).where(
            Member.program_id == program_id, Member.stripe_customer_id == customer_id
        )
    )


def search(
    session: Session, program_id: str, words: str | None, page: Page, *, also: Sequence[str] = ()
) -> list[Member]:
    """Members newest first; `words` is an id, an e-mail, or how a name or surname begins.

    `also` names members that the words mean for another reason. Raises CursorNotFound.
    """
    mine = select(Member).where(Member.program_id == program_id)
    if words:
        mine = mine.where(or_(_matches(words), Member.id.in_(also)))
    return newest_first(session, mine, page, id_column=Member.id, order=Member.id)


def _require_own_customer(
    session: Session, program_id: str, external_id: str, customer_id: str | None
) -> None:
    taken = find_by_customer(session, program_id, customer_id) if customer_id else None
    if taken is not None and taken.external_id != external_id:
        raise StripeCustomerTaken(
            f"Member {taken.id} is {customer_id!r} at Stripe.", param="stripe_customer_id"
        )


def _find(session: Session, program_id: str, ref: str) -> Member | None:
    column, value = Member.id, ref
    if ref.startswith(EXTERNAL):
        column, value = Member.external_id, ref.removeprefix(EXTERNAL)
    return session.scalar(select(Member).where(Member.program_id == program_id, column == value))


def _matches(words: str) -> Any:
    lowered = words.lower()
    return or_(
        Member.id == words,
        Member.external_id == words.removeprefix(EXTERNAL),
        func.lower(Member.email) == lowered,
        func.lower(Member.name).startswith(lowered, autoescape=True),
        func.lower(Member.name).contains(f" {lowered}", autoescape=True),
        # A database may lower ASCII letters only: Ärger is found as it is written, at least.
        Member.email == words,
        Member.name.startswith(words, autoescape=True),
    )
