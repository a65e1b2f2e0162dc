"""Thank-you discounts, and the moment at which the clock may bring a member the next one.

Every change adds: the version before can live with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


LONG_PAST = "1970-01-01 00:00:00.000000"


def upgrade() -> None:
    # Long past: whom the version before enrols is looked at once.
    if op.get_bind().dialect.name == "postgresql":
        # Who is there already is looked at when a program has its first offer by the clock: until
        # then the index stays empty.
        _add_thanks_at(None)
        op.alter_column("accounts", "thanks_at", server_default=LONG_PAST)
    else:
        # SQLite gives a column its default once for all; the few it has are looked at and let go.
        _add_thanks_at(LONG_PAST)
    op.create_index(
        "ix_accounts_thanks_at",
        "accounts",
        ["thanks_at"],
        sqlite_where=sa.text("thanks_at IS NOT NULL"),
        postgresql_where=sa.text("thanks_at IS NOT NULL"),
    )
    op.create_table(
        "discounts",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("offer_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("actor_id", sa.String(length=40), nullable=True),
        sa.Column("program_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_off_minor", sa.BigInteger(), nullable=True),
        sa.Column("percent_off", sa.String(length=20), nullable=True),
        sa.Column("minimum_order_minor", sa.BigInteger(), nullable=True),
        sa.Column("coupon_id", sa.String(length=80), nullable=False),
        sa.Column("promotion_code_id", sa.String(length=80), nullable=True),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("settlement", sa.String(length=24), nullable=False),
        sa.Column("gives", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'issued', 'failed', 'cancelling', 'cancelled', 'expiring',"
            " 'expired', 'used', 'withheld')",
            name=op.f("ck_discounts_status_known"),
        ),
        sa.CheckConstraint(
            "amount_off_minor IS NULL OR percent_off IS NULL",
            name=op.f("ck_discounts_one_discount"),
        ),
        sa.CheckConstraint(
            "(status = 'withheld') = (code IS NULL)", name=op.f("ck_discounts_given_has_a_code")
        ),
        sa.CheckConstraint(
            "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL"
            " OR settlement = 'app_applied'",
            name=op.f("ck_discounts_issued_is_honoured"),
        ),
        sa.CheckConstraint(
            "status <> 'used' OR used_at IS NOT NULL",
            name=op.f("ck_discounts_used_has_a_moment"),
        ),
        sa.CheckConstraint(
            "status <> 'withheld' OR failure IS NOT NULL",
            name=op.f("ck_discounts_withheld_has_a_failure"),
        ),
        sa.CheckConstraint(
            "(trigger = 'staff') = (reason IS NOT NULL)",
            name=op.f("ck_discounts_staff_has_a_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_discounts_program_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_discounts")),
        sa.UniqueConstraint(
            "program_id",
            "member_id",
            "offer_id",
            "cause",
            name=op.f("uq_discounts_program_id_member_id_offer_id_cause"),
        ),
    )
    op.create_index("uq_discounts_code", "discounts", ["program_id", "code"], unique=True)
    op.create_index("ix_discounts_member", "discounts", ["program_id", "member_id", "id"])
    op.create_index(
        "ix_discounts_ending",
        "discounts",
        ["expires_at"],
        sqlite_where=sa.text("status = 'issued'"),
        postgresql_where=sa.text("status = 'issued'"),
    )
    op.create_index(
        "ix_discounts_open",
        "discounts",
        ["program_id", "status", "id"],
        sqlite_where=sa.text("status IN ('pending', 'issued', 'cancelling', 'expiring')"),
        postgresql_where=sa.text("status IN ('pending', 'issued', 'cancelling', 'expiring')"),
    )
    op.create_index("ix_discounts_promotion_code", "discounts", ["promotion_code_id"])


def _add_thanks_at(default: str | None) -> None:
    op.add_column(
        "accounts",
        sa.Column("thanks_at", sa.DateTime(timezone=True), server_default=default, nullable=True),
    )
