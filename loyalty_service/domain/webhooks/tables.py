"""The tables of webhooks: endpoints, deliveries, and each attempt at one."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_service.db import Base, Id, ProgramId

ENABLED, DISABLED, DELETED = "enabled", "disabled", "deleted"
PENDING, DELIVERED, FAILED = DELIVERY_STATUSES = ("pending", "delivered", "failed")
# Why an endpoint is disabled: it said so, it failed for days, or a person did it.
GONE, FAILING, BY_HAND = REASONS = ("gone", "failing", "by_hand")


class Endpoint(Base):
    """An address that wants to hear. Its secret follows from `generation`; none is stored."""

    __tablename__ = "webhook_endpoints"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    # A JSON list of types, or ["*"].
    types: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(12))
    disabled_reason: Mapped[str | None] = mapped_column(String(12))
    disabled_at: Mapped[datetime | None]
    generation: Mapped[int]
    # Until then deliveries carry the signature of the generation before, too.
    overlap_ends_at: Mapped[datetime | None]
    # Since when, and how often in a row, nothing could be delivered.
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["program_id"], ["programs.program_id"]),
        CheckConstraint("status IN ('enabled', 'disabled', 'deleted')", name="status_known"),
        CheckConstraint(
            "(status = 'disabled') = (disabled_reason IS NOT NULL)", name="disabled_for_a_reason"
        ),
        CheckConstraint("generation > 0", name="generation_positive"),
    )


class Delivery(Base):
    """One event for one endpoint. In flight while `leased_until` is to come.

    `tries` counts those of this run of the schedule, `attempts` all: a replay begins a new run.
    """

    __tablename__ = "webhook_deliveries"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(Id)
    # None for a test, which brings its own body.
    notice_id: Mapped[str | None] = mapped_column(Id)
    test_body: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12))
    tries: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "endpoint_id"],
            ["webhook_endpoints.program_id", "webhook_endpoints.id"],
        ),
        ForeignKeyConstraint(["program_id", "notice_id"], ["notices.program_id", "notices.id"]),
        CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status_known"),
        CheckConstraint("(notice_id IS NULL) = (test_body IS NOT NULL)", name="has_one_body"),
        CheckConstraint("(status = 'pending') = (finished_at IS NULL)", name="ends_once"),
        Index(
            "ix_webhook_deliveries_due",
            "program_id",
            "endpoint_id",
            "available_at",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_webhook_deliveries_endpoint", "program_id", "endpoint_id", "id"),
        # For forgetting what is old without reading the rest.
        Index(
            "ix_webhook_deliveries_finished_at",
            "finished_at",
            sqlite_where=text("status <> 'pending'"),
            postgresql_where=text("status <> 'pending'"),
        ),
    )


class Attempt(Base):
    """One try to deliver: what was answered, or why nobody answered."""

    __tablename__ = "webhook_attempts"
    program_id: Mapped[str] = mapped_column(ProgramId, primary_key=True)
    delivery_id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    duration_ms: Mapped[int]
    status_code: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(300))
    response: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "delivery_id"],
            ["webhook_deliveries.program_id", "webhook_deliveries.id"],
        ),
    )
