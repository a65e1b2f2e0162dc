"""The ledger's tables, and beside each the invariant that `verify` checks.

Transactions and postings are only ever inserted: triggers in the migrations refuse the rest.
Lots are the authority on what can be spent; the account row is the cache that makes a balance one
read. Every cached figure is a sum of postings.
"""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, Points, ProgramId
from loyalty_service.domain.ledger.moves import KINDS, LOT_SIDES, SIDES, SYSTEM_SIDES
from loyalty_service.domain.limits import POINTS_MAX


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Account(Base):
    """A member's points. `available`, `pending`, `held` and `debt` are sums of postings."""

    __tablename__ = "accounts"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id, primary_key=True)
    available: Mapped[int] = mapped_column(Points, server_default="0")
    pending: Mapped[int] = mapped_column(Points, server_default="0")
    held: Mapped[int] = mapped_column(Points, server_default="0")
    debt: Mapped[int] = mapped_column(Points, server_default="0")
    lifetime_earned: Mapped[int] = mapped_column(Points, server_default="0")
    sequence: Mapped[int] = mapped_column(Integer, server_default="0")
    lots_opened: Mapped[int] = mapped_column(Integer, server_default="0")
    head_hash: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime]
    # Never later than the first moment at which time changes a lot or the tier; earlier does no
    # harm.
    next_due_at: Mapped[datetime | None]
    # The tier that is held, and what time will do to it (see `standing.Standing`).
    tier: Mapped[str | None] = mapped_column(String(40))
    tier_since: Mapped[datetime | None]
    tier_steps: Mapped[str | None] = mapped_column(Text)
    # While it is paused no lot expires; otherwise none expires before this moment.
    expiry_paused: Mapped[bool] = mapped_column(server_default="0")
    expires_not_before: Mapped[datetime | None]
    # Never later than the first moment at which an expiry is to be announced; earlier does no harm.
    warn_at: Mapped[datetime | None]
    # Never later than the first moment at which the clock makes a thank-you discount due; earlier
    # costs a look. A new member is looked at once.
    thanks_at: Mapped[datetime | None] = mapped_column(server_default="1970-01-01 00:00:00.000000")
    __table_args__ = (
        ForeignKeyConstraint(["program_id", "member_id"], ["members.program_id", "members.id"]),
        CheckConstraint("available >= 0", name="available_not_negative"),
        CheckConstraint("pending >= 0", name="pending_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("debt >= 0", name="debt_not_negative"),
        # Whatever becomes available repays debt first.
        CheckConstraint("debt = 0 OR available = 0", name="debt_is_repaid_first"),
        Index(
            "ix_accounts_warn_at",
            "warn_at",
            sqlite_where=text("warn_at IS NOT NULL"),
            postgresql_where=text("warn_at IS NOT NULL"),
        ),
        Index(
            "ix_accounts_thanks_at",
            "thanks_at",
            sqlite_where=text("thanks_at IS NOT NULL"),
            postgresql_where=text("thanks_at IS NOT NULL"),
        ),
    )


class Transaction(Base):
    """One immutable business fact: `sequence` counts up per account, `hash` chains to the last."""

    __tablename__ = "transactions"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    sequence: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    corrects_id: Mapped[str | None] = mapped_column(Id)
    # Canonical JSON: what decided, for ever. Ids and integers only, never a person's data.
    context: Mapped[str] = mapped_column(Text)
    available_after: Mapped[int] = mapped_column(Points)
    pending_after: Mapped[int] = mapped_column(Points)
    held_after: Mapped[int] = mapped_column(Points)
    debt_after: Mapped[int] = mapped_column(Points)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "member_id"], ["accounts.program_id", "accounts.member_id"]
        ),
        ForeignKeyConstraint(
            ["program_id", "corrects_id"], ["transactions.program_id", "transactions.id"]
        ),
        UniqueConstraint("program_id", "member_id", "sequence"),
        CheckConstraint(_one_of("kind", KINDS), name="kind_known"),
        CheckConstraint("sequence > 0", name="sequence_positive"),
        # A correction is made once.
        Index(
            "uq_transactions_reversal",
            "program_id",
            "corrects_id",
            unique=True,
            sqlite_where=text("kind = 'reversal'"),
            postgresql_where=text("kind = 'reversal'"),
        ),
    )


class Lot(Base):
    """Points earned together. `pending`, `available` and `held` are sums of postings."""

    __tablename__ = "lots"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    member_id: Mapped[str] = mapped_column(Id)
    number: Mapped[int] = mapped_column(Integer)
    opened_by: Mapped[str] = mapped_column(Id)
    restores_lot_id: Mapped[str | None] = mapped_column(Id)
    earned_at: Mapped[datetime]
    matures_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    pending: Mapped[int] = mapped_column(Points)
    available: Mapped[int] = mapped_column(Points)
    held: Mapped[int] = mapped_column(Points)
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "member_id"], ["accounts.program_id", "accounts.member_id"]
        ),
        ForeignKeyConstraint(
            ["program_id", "opened_by"], ["transactions.program_id", "transactions.id"]
        ),
        ForeignKeyConstraint(["program_id", "restores_lot_id"], ["lots.program_id", "lots.id"]),
        UniqueConstraint("program_id", "member_id", "number"),
        CheckConstraint("pending >= 0", name="pending_not_negative"),
        CheckConstraint("available >= 0", name="available_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("expires_at > matures_at", name="expires_after_maturity"),
        Index(
            "ix_lots_spend_order",
            "program_id",
            "member_id",
            "expires_at",
            "earned_at",
            "number",
            sqlite_where=text("available > 0"),
            postgresql_where=text("available > 0"),
        ),
        Index(
            "ix_lots_maturity",
            "program_id",
            "member_id",
            "matures_at",
            sqlite_where=text("pending > 0"),
            postgresql_where=text("pending > 0"),
        ),
    )


class Posting(Base):
    """Points moved from the debit side to the credit side; one side at least is the member's."""

    __tablename__ = "postings"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    transaction_id: Mapped[str] = mapped_column(Id, primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    debit_kind: Mapped[str] = mapped_column(String(12))
    debit_lot_id: Mapped[str | None] = mapped_column(Id)
    debit_hold_id: Mapped[str | None] = mapped_column(Id)
    credit_kind: Mapped[str] = mapped_column(String(12))
    credit_lot_id: Mapped[str | None] = mapped_column(Id)
    credit_hold_id: Mapped[str | None] = mapped_column(Id)
    points: Mapped[int] = mapped_column(Points)
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "transaction_id"], ["transactions.program_id", "transactions.id"]
        ),
        ForeignKeyConstraint(["program_id", "debit_lot_id"], ["lots.program_id", "lots.id"]),
        ForeignKeyConstraint(["program_id", "credit_lot_id"], ["lots.program_id", "lots.id"]),
        CheckConstraint(f"points > 0 AND points <= {POINTS_MAX}", name="points_in_range"),
        CheckConstraint(_one_of("debit_kind", SIDES), name="debit_kind_known"),
        CheckConstraint(_one_of("credit_kind", SIDES), name="credit_kind_known"),
        CheckConstraint(
            f"({_one_of('debit_kind', LOT_SIDES)}) = (debit_lot_id IS NOT NULL)",
            name="debit_names_its_lot",
        ),
        CheckConstraint(
            f"({_one_of('credit_kind', LOT_SIDES)}) = (credit_lot_id IS NOT NULL)",
            name="credit_names_its_lot",
        ),
        CheckConstraint(
            "(debit_kind = 'held') = (debit_hold_id IS NOT NULL)", name="debit_names_its_hold"
        ),
        CheckConstraint(
            "(credit_kind = 'held') = (credit_hold_id IS NOT NULL)", name="credit_names_its_hold"
        ),
        CheckConstraint(
            f"NOT ({_one_of('debit_kind', SYSTEM_SIDES)}"
            f" AND {_one_of('credit_kind', SYSTEM_SIDES)})",
            name="one_side_is_the_members",
        ),
        Index("ix_postings_debit_lot", "program_id", "debit_lot_id"),
    )
