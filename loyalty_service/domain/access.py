"""Who may call: API clients with scopes, their keys, and the staff they act for.

A key is random, shown once and kept as a hash. The client stays the same while its keys rotate, so
that a retry under a new key is still the same caller.
"""

import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    String,
    UniqueConstraint,
    bindparam,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from loyalty_service import canonical, clock, ids
from loyalty_service.db import Base, Id, ProgramId, ask, insert_unless_there
from loyalty_service.errors import KeyExpired, KeyRevoked, KeyUnknown, Unauthenticated
from loyalty_service.statements import Statement

SCOPES = ("checkout", "staff", "reporting", "admin")
ROLES = ("agent", "manager", "admin")
# The roles that decide what others ask for.
APPROVERS = ("manager", "admin")
PREFIX = "lk"
_TOKEN = re.compile(PREFIX + r"_(?P<program>[a-z0-9-]{1,40})_[\x21-\x7e]{1,200}")


class BadKeyRequest(ValueError):
    """A key was asked for that can't be made; the text says what is missing."""


class Staff(Base):
    """A person who acts for the shop."""

    __tablename__ = "staff"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person: Mapped[str] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(12))
    __table_args__ = (
        ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
        UniqueConstraint("program_id", "person"),
        CheckConstraint("role IN ('agent', 'manager', 'admin')", name="role_known"),
    )


class Client(Base):
    """A caller: the checkout, a till, a report, a person of staff."""

    __tablename__ = "clients"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    scope: Mapped[str] = mapped_column(String(12))
    staff_id: Mapped[str | None] = mapped_column(Id)
    __table_args__ = (
        ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
        ForeignKeyConstraint(["program_id", "staff_id"], ["staff.program_id", "staff.id"]),
        UniqueConstraint("program_id", "name"),
        CheckConstraint("scope IN ('checkout', 'staff', 'reporting', 'admin')", name="scope_known"),
        CheckConstraint("scope <> 'staff' OR staff_id IS NOT NULL", name="staff_is_a_person"),
    )


class ApiKey(Base):
    """One key of a client: its hash, never the key."""

    __tablename__ = "api_keys"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    client_id: Mapped[str] = mapped_column(Id)
    sha256: Mapped[str] = mapped_column(String(64))
    last_four: Mapped[str] = mapped_column(String(4))
    is_demo: Mapped[bool] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "client_id"], ["clients.program_id", "clients.id"]),
        UniqueConstraint("program_id", "sha256"),
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: a client of one program, and the person behind it where there is one."""

    program_id: str
    client_id: str
    scope: str
    staff_id: str | None
    role: str | None

    @property
    def actor_id(self) -> str:
        """The person where there is one, else the client: what limits and traces name."""
        return self.staff_id or self.client_id


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `token` is shown once and never again."""

    id: str
    client_id: str
    token: str


_SAME_CLIENT = (Client.program_id == ApiKey.program_id) & (Client.id == ApiKey.client_id)
_SAME_STAFF = (Staff.program_id == Client.program_id) & (Staff.id == Client.staff_id)
KEY_AND_CLIENT = (
    select(
        ApiKey.client_id,
        Client.scope,
        Client.staff_id,
        Staff.role,
        ApiKey.revoked_at,
        ApiKey.expires_at,
    )
    .join(Client, _SAME_CLIENT)
    .outerjoin(Staff, _SAME_STAFF)
    .where(ApiKey.program_id == bindparam("of_program"), ApiKey.sha256 == bindparam("hash"))
)


_KEY_AND_CLIENT = Statement(KEY_AND_CLIENT)


def create_client(
    session: Session,
    program_id: str,
    *,
    name: str,
    scope: str,
    person: str | None = None,
    role: str | None = None,
    expires_at: datetime | None = None,
    demo_token: str | None = None,
) -> NewKey:
    """Make a client and its first key; raises BadKeyRequest naming what is wrong."""
    _require_client(session, program_id, name, scope, person, role)
    staff_id = _staff(session, program_id, person, role) if person else None
    client = Client(
        program_id=program_id, id=ids.new("cli"), name=name, scope=scope, staff_id=staff_id
    )
    session.add(client)
    session.flush()
    return _add_key(session, program_id, client.id, expires_at, demo_token)


def rotate(session: Session, program_id: str, key_id: str, *, overlap: timedelta) -> NewKey:
    """A new key for the same client; the old one ends after `overlap`.

    A key that was to end gets a successor with the same length of life. Raises KeyUnknown.
    """
    old = _require_key(session, program_id, key_id)
    if old.revoked_at:
        raise KeyRevoked(f"Key {key_id} is revoked; create a new one.")
    now = clock.wall()
    successor_ends = now + (old.expires_at - old.created_at) if old.expires_at else None
    old.expires_at = min(old.expires_at or now + overlap, now + overlap)
    session.flush()
    return _add_key(session, program_id, old.client_id, successor_ends, None)


def revoke(session: Session, program_id: str, key_id: str) -> None:
    """End a key at once; safe to repeat. Raises KeyUnknown."""
    key = _require_key(session, program_id, key_id)
    key.revoked_at = key.revoked_at or clock.wall()
    session.flush()


def listed(session: Session, program_id: str) -> list[tuple[ApiKey, Client, Staff | None]]:
    """Every key of a program with its client and the person behind it, oldest first."""
    rows = session.execute(
        select(ApiKey, Client, Staff)
        .join(Client, _SAME_CLIENT)
        .outerjoin(Staff, _SAME_STAFF)
        .where(ApiKey.program_id == program_id)
        .order_by(ApiKey.id)
    )
    return [(key, client, person) for key, client, person in rows]


def authenticate(token: str | None) -> Principal:
    """The caller behind a key; raises KeyUnknown, KeyRevoked or KeyExpired."""
    principal, _ = look_up(_KEY_AND_CLIENT, token)
    return principal


def look_up(statement: Statement, token: str | None, **more: Any) -> tuple[Principal, Any]:
    """The caller behind a key, and what `statement` has after the columns of KEY_AND_CLIENT.

    Raises as `authenticate`.

    The token names its program, so that the look-up is by the program's own index.
    """
    if not token:
        raise Unauthenticated("Send your key as `Authorization: Bearer lk_…`.")
    written = _TOKEN.fullmatch(token)
    if not written:
        raise KeyUnknown("The key is not of the form lk_<program>_<secret>.")
    program_id = written["program"]
    row = ask(statement, of_program=program_id, hash=canonical.sha256(token), **more)
    if row is None:
        raise KeyUnknown("No such key; check that it was copied whole.")
    client_id, scope, staff_id, role, revoked_at, expires_at, *others = row
    if revoked_at:
        raise KeyRevoked("This key was revoked; ask for a new one.")
    if expires_at and expires_at <= clock.wall():
        raise KeyExpired("This key has expired; rotate it with `loyalty keys rotate`.")
    return Principal(program_id, client_id, scope, staff_id, role), others


def find_staff(session: Session, program_id: str, person: str) -> Staff | None:
    """A person of staff, however it is written: two spellings are no two persons with two limits.

    Compared here, since databases differ in what a capital letter is.
    """
    everybody = staff_listed(session, program_id)
    same = (one for one in everybody if one.person == person)
    alike = (one for one in everybody if folded(one.person) == folded(person))
    return next(same, None) or next(alike, None)


def staff_listed(session: Session, program_id: str) -> list[Staff]:
    """Everybody of a program's staff, by e-mail."""
    mine = select(Staff).where(Staff.program_id == program_id)
    return list(session.scalars(mine.order_by(Staff.person)))


def change_role(session: Session, program_id: str, person: str, role: str) -> str:
    """Give a person of staff another role, with every key they have; returns the one before.

    Raises BadKeyRequest.
    """
    known = find_staff(session, program_id, person)
    if known is None:
        raise BadKeyRequest(f"there is nobody {person!r}; see `loyalty staff list`")
    before, known.role = known.role, role
    session.flush()
    return before


def name_of(session: Session, program_id: str, actor_id: str | None) -> str | None:
    """The person or client that an id in a transaction stands for, where it is still known."""
    return names_of(session, program_id, [actor_id] if actor_id else []).get(actor_id or "")


def names_of(session: Session, program_id: str, actor_ids: Collection[str]) -> dict[str, str]:
    """The people and clients that some ids stand for, where they are still known, by the id."""
    if not actor_ids:
        return {}
    clients = select(Client.id, Client.name).where(Client.program_id == program_id)
    people = select(Staff.id, Staff.person).where(Staff.program_id == program_id)
    rows = [
        *session.execute(clients.where(Client.id.in_(actor_ids))),
        *session.execute(people.where(Staff.id.in_(actor_ids))),
    ]
    return {actor_id: name for actor_id, name in rows if name}


def unsafe_keys(session: Session) -> str | None:
    """Why production must not start with the keys there are; None when they are fit."""
    lasting = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > clock.wall())
    usable = select(ApiKey).where(ApiKey.revoked_at.is_(None), lasting)
    keys = session.scalars(usable).all()
    if not keys:
        return "there is no API key: create one with `loyalty keys create`"
    if any(key.is_demo for key in keys):
        return "demo keys are active: revoke them with `loyalty keys revoke`"
    return None


def _require_client(
    session: Session, program_id: str, name: str, scope: str, person: str | None, role: str | None
) -> None:
    if scope not in SCOPES:
        raise BadKeyRequest(f"scope {scope!r} is not known; use one of {', '.join(SCOPES)}")
    if scope == "staff" and not person:
        raise BadKeyRequest("a staff key acts for a person: give --person and --role")
    if role is not None and role not in ROLES:
        raise BadKeyRequest(f"role {role!r} is not known; use one of {', '.join(ROLES)}")
    taken = select(Client.id).where(Client.program_id == program_id, Client.name == name)
    if session.scalar(taken):
        raise BadKeyRequest(f"client {name!r} exists; rotate its key with `loyalty keys rotate`")


def _staff(session: Session, program_id: str, person: str, role: str | None) -> str:
    """The person's id; whoever is new gets the role, `agent` where none is given.

    Raises BadKeyRequest for another role than the person's: all their keys would have it.
    """
    if known := find_staff(session, program_id, person):
        if role not in (None, known.role):
            raise BadKeyRequest(
                f"{known.person} is {known.role}, with every key: leave --role out, or change it "
                f"with `loyalty staff role {known.person} {role}`"
            )
        return known.id
    spelled = unicodedata.normalize("NFC", person).strip()
    row = {"program_id": program_id, "id": ids.new("stf"), "person": spelled}
    insert_unless_there(session, Staff, {**row, "role": role or "agent"})
    mine = (Staff.program_id == program_id) & (Staff.person == spelled)
    return session.execute(select(Staff.id).where(mine)).scalar_one()


def folded(person: str) -> str:
    """How a person's name is compared, whoever wrote it: what can't be seen makes no difference."""
    seen = (sign for sign in unicodedata.normalize("NFKC", person) if sign.isprintable())
    return " ".join("".join(seen).split()).casefold()


def _add_key(
    session: Session,
    program_id: str,
    client_id: str,
    expires_at: datetime | None,
    demo_token: str | None,
) -> NewKey:
    token = demo_token or f"{PREFIX}_{program_id}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        program_id=program_id,
        id=ids.new("key"),
        client_id=client_id,
        sha256=canonical.sha256(token),
        last_four=token[-4:],
        is_demo=demo_token is not None,
        created_at=clock.wall(),
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return NewKey(key.id, client_id, token)


def _require_key(session: Session, program_id: str, key_id: str) -> ApiKey:
    key = session.get(ApiKey, (program_id, key_id))
    if key is None:
        raise KeyUnknown(f"There is no key {key_id}; see `loyalty keys list`.")
    return key
