"""Approvals: what one person of staff asks and a second one decides."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("customer_note", sa.Text()),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requested_role", sa.String(length=12), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=40)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decision_reason", sa.Text()),
        sa.Column("failure", sa.String(length=40)),
        sa.Column("made_id", sa.String(length=40)),
        sa.Column("transaction_id", sa.String(length=40)),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_approvals")),
        *_foreign_keys(),
        *_checks(),
    )
    op.create_index("ix_approvals_status", "approvals", ["program_id", "status", "expires_at"])
    op.create_index("ix_approvals_member", "approvals", ["program_id", "member_id", "id"])


def _foreign_keys():
    for column, table in (
        ("member_id", "members"),
        ("requested_by", "staff"),
        ("decided_by", "staff"),
        ("transaction_id", "transactions"),
    ):
        yield sa.ForeignKeyConstraint(
            ["program_id", column],
            [f"{table}.program_id", f"{table}.id"],
            name=op.f(f"fk_approvals_program_id_{column}"),
        )


def _checks():
    for name, holds in (
        ("status_known", "status IN ('pending', 'approved', 'rejected', 'expired', 'failed')"),
        ("two_persons", "decided_by <> requested_by"),
        ("decided_by_somebody", "(status IN ('pending', 'expired')) = (decided_by IS NULL)"),
        ("approved_is_made", "(status = 'approved') = (made_id IS NOT NULL)"),
    ):
        yield sa.CheckConstraint(holds, name=op.f(f"ck_approvals_{name}"))
