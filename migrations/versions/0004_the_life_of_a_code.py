"""The life of a code, and what Stripe tells: events, payments, and whose customers are whose."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("redemptions", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_redemptions_ending",
        "redemptions",
        ["expires_at"],
        sqlite_where=sa.text("status = 'issued'"),
        postgresql_where=sa.text("status = 'issued'"),
    )
    op.create_index("ix_redemptions_promotion_code", "redemptions", ["promotion_code_id"])
    op.add_column("members", sa.Column("stripe_customer_id", sa.String(80), nullable=True))
    op.create_index(
        "uq_members_stripe_customer", "members", ["program_id", "stripe_customer_id"], unique=True
    )
    op.create_table(
        "stripe_events",
        sa.Column("program_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("status", sa.String(8), server_default="due", nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("waits_for", sa.String(80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('due', 'done', 'waiting', 'ignored', 'refused')",
            name=op.f("ck_stripe_events_status_known"),
        ),
        sa.CheckConstraint(
            "(status = 'waiting') = (waits_for IS NOT NULL)",
            name=op.f("ck_stripe_events_waits_for_somebody"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_stripe_events")),
    )
    op.create_index("ix_stripe_events_waits_for", "stripe_events", ["program_id", "waits_for"])
    op.create_index("ix_stripe_events_received_at", "stripe_events", ["received_at"])
    op.create_table(
        "payments",
        sa.Column("program_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("order_id", sa.String(200), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("invoice_id", sa.String(80), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.program_id"], name=op.f("fk_payments_program_id")
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_payments")),
    )
    op.create_index("ix_payments_invoice", "payments", ["program_id", "invoice_id"])
