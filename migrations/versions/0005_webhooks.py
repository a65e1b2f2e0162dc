"""Webhooks: what was told to nobody yet, numbered notices, endpoints, deliveries, attempts.

Every change adds: the version before goes on writing notices without a number.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(length=40)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _notices()
    _untold()
    _endpoints()
    _deliveries()
    _attempts()


def _notices() -> None:
    op.add_column("notices", sa.Column("sequence", sa.Integer()))
    op.create_index(
        "uq_notices_sequence", "notices", ["program_id", "member_id", "sequence"], unique=True
    )
    op.create_table(
        "member_notices",
        sa.Column("program_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_member_notices_program_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "member_id", name=op.f("pk_member_notices")),
    )


def _untold() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("untold_numbers")))
    op.create_table(
        "untold",
        sa.Column("program_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("first_sequence", sa.Integer()),
        sa.Column("last_sequence", sa.Integer()),
        sa.Column("type", ID),
        sa.Column("subject_id", ID),
        sa.Column("occurred_at", MOMENT),
        sa.Column("data", sa.Text()),
        sa.Column("put_off_until", MOMENT),
        sa.PrimaryKeyConstraint("program_id", "number", name=op.f("pk_untold")),
    )
    op.create_index("ix_untold_member", "untold", ["program_id", "member_id", "number"])


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("program_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("description", sa.String(length=200)),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("disabled_reason", sa.String(length=12)),
        sa.Column("disabled_at", MOMENT),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("overlap_ends_at", MOMENT),
        sa.Column("failing_since", MOMENT),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "status IN ('enabled', 'disabled', 'deleted')",
            name=op.f("ck_webhook_endpoints_status_known"),
        ),
        sa.CheckConstraint(
            "(status = 'disabled') = (disabled_reason IS NOT NULL)",
            name=op.f("ck_webhook_endpoints_disabled_for_a_reason"),
        ),
        sa.CheckConstraint("generation > 0", name=op.f("ck_webhook_endpoints_generation_positive")),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["programs.program_id"],
            name=op.f("fk_webhook_endpoints_program_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_webhook_endpoints")),
    )


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("program_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("notice_id", ID),
        sa.Column("test_body", sa.Text()),
        sa.Column("type", ID, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("available_at", MOMENT, nullable=False),
        sa.Column("leased_until", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("last_error", sa.String(length=300)),
        sa.CheckConstraint(
            "status IN ('pending', 'delivered', 'failed')",
            name=op.f("ck_webhook_deliveries_status_known"),
        ),
        sa.CheckConstraint(
            "(notice_id IS NULL) = (test_body IS NOT NULL)",
            name=op.f("ck_webhook_deliveries_has_one_body"),
        ),
        sa.CheckConstraint(
            "(status = 'pending') = (finished_at IS NULL)",
            name=op.f("ck_webhook_deliveries_ends_once"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "endpoint_id"],
            ["webhook_endpoints.program_id", "webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_program_id_endpoint_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "notice_id"],
            ["notices.program_id", "notices.id"],
            name=op.f("fk_webhook_deliveries_program_id_notice_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["program_id", "endpoint_id", "available_at", "id"],
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_webhook_deliveries_endpoint", "webhook_deliveries", ["program_id", "endpoint_id", "id"]
    )
    op.create_index(
        "ix_webhook_deliveries_finished_at",
        "webhook_deliveries",
        ["finished_at"],
        sqlite_where=sa.text("status <> 'pending'"),
        postgresql_where=sa.text("status <> 'pending'"),
    )


def _attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("program_id", ID, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("error", sa.String(length=300)),
        sa.Column("response", sa.Text()),
        sa.ForeignKeyConstraint(
            ["program_id", "delivery_id"],
            ["webhook_deliveries.program_id", "webhook_deliveries.id"],
            name=op.f("fk_webhook_attempts_program_id_delivery_id"),
        ),
        sa.PrimaryKeyConstraint(
            "program_id", "delivery_id", "number", name=op.f("pk_webhook_attempts")
        ),
    )
