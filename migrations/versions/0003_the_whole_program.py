"""The whole program: tiers and what counts towards them, limits, events, refunds, rewards.

Every change adds, or allows more than before: the version before can live with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

IMMUTABLE = ("tier_credits", "rule_uses")

KINDS = (
    "kind IN ('earn', 'maturity', 'expiry', 'repayment', 'credit', 'debit', 'reversal', "
    "'claw_back', 'redemption', 'restoration', 'hold', 'capture', 'release', 'expiry_change', "
    "'merge'{more})"
)
# Table, name of the constraint, before, after.
LOOSENED = (
    (
        "transactions",
        "ck_transactions_kind_known",
        KINDS.format(more=""),
        KINDS.format(more=", 'tier_change'"),
    ),
    ("redemptions", "ck_redemptions_points_positive", "points > 0", "points >= 0"),
    (
        "redemptions",
        "ck_redemptions_one_discount",
        "(amount_off_minor IS NULL) <> (percent_off IS NULL)",
        "amount_off_minor IS NULL OR percent_off IS NULL",
    ),
    (
        "redemptions",
        "ck_redemptions_issued_has_a_code",
        "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL",
        "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL"
        " OR settlement = 'app_applied'",
    ),
)


def upgrade() -> None:
    for table, column in _new_columns():
        op.add_column(table, column)
    # Looked at once: the points that are there now are announced like all others.
    op.execute("UPDATE accounts SET warn_at = recorded_at WHERE available > 0 OR pending > 0")
    op.execute("UPDATE orders SET points_issued = points_earned, earned_by = transaction_id")
    op.create_index(
        "ix_accounts_warn_at",
        "accounts",
        ["warn_at"],
        sqlite_where=sa.text("warn_at IS NOT NULL"),
        postgresql_where=sa.text("warn_at IS NOT NULL"),
    )
    _loosen()
    _tiers()
    _earning()
    _notices()
    for table in IMMUTABLE:
        _refuse_change(table)


def _new_columns():
    points = {"server_default": "0", "nullable": False}
    moment = sa.DateTime(timezone=True)
    yield "accounts", sa.Column("tier", sa.String(length=40))
    yield "accounts", sa.Column("tier_since", moment)
    yield "accounts", sa.Column("tier_steps", sa.Text())
    yield "accounts", sa.Column("expiry_paused", sa.Boolean(), **points)
    yield "accounts", sa.Column("expires_not_before", moment)
    yield "accounts", sa.Column("warn_at", moment)
    recorded = {"server_default": "recorded", "nullable": False}
    yield "orders", sa.Column("status", sa.String(length=12), **recorded)
    yield "orders", sa.Column("paid_at", moment)
    yield "orders", sa.Column("fulfilled_at", moment)
    yield "orders", sa.Column("amended", sa.Text())
    yield "orders", sa.Column("earned_by", sa.String(length=40))
    yield "orders", sa.Column("points_issued", sa.BigInteger(), **points)
    yield "orders", sa.Column("points_taken", sa.BigInteger(), **points)
    yield "orders", sa.Column("points_short", sa.BigInteger(), **points)
    settlement = {"server_default": "stripe_promotion_code", "nullable": False}
    yield "redemptions", sa.Column("settlement", sa.String(length=24), **settlement)
    yield "redemptions", sa.Column("gives", sa.String(length=200))


def _loosen() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, name, _, after in LOOSENED:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            # What stands has passed a stricter check: no need to read it all again.
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({after}) NOT VALID")
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        return
    # SQLite can't change a CHECK; its own advice is to change the text of the schema. Copying the
    # table instead would drop its triggers without a word.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, name, before, after in LOOSENED:
        old, new = f"CONSTRAINT {name} CHECK ({before})", f"CONSTRAINT {name} CHECK ({after})"
        changed = connection.execute(
            sa.text(
                "UPDATE sqlite_schema SET sql = replace(sql, :old, :new) "
                "WHERE type = 'table' AND name = :table AND instr(sql, :old) > 0"
            ),
            {"old": old, "new": new, "table": table},
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"{name} is not the CHECK that this migration knows")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _tiers() -> None:
    op.create_table(
        "tier_credits",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("program_version", sa.Integer(), nullable=False),
        sa.Column("spend_minor", sa.BigInteger(), nullable=False),
        sa.Column("base_points", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_tier_credits_program_id_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "transaction_id", name=op.f("pk_tier_credits")),
    )
    op.create_index("ix_tier_credits_member", "tier_credits", ["program_id", "member_id", "day"])
    op.create_table(
        "grants",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "withdrawn >= 0 AND withdrawn <= points", name=op.f("ck_grants_withdrawn_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["accounts.program_id", "accounts.member_id"],
            name=op.f("fk_grants_program_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_grants_program_id_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "member_id", "cause", name=op.f("pk_grants")),
    )


def _earning() -> None:
    op.create_table(
        "rule_uses",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("rule_id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("carry", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_rule_uses_program_id_transaction_id"),
        ),
        sa.PrimaryKeyConstraint(
            "program_id", "transaction_id", "rule_id", name=op.f("pk_rule_uses")
        ),
    )
    op.create_index("ix_rule_uses_member", "rule_uses", ["program_id", "member_id", "rule_id"])
    op.create_table(
        "refunds",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("order_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("points_taken", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=True),
        sa.Column("refusal", sa.String(length=60), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'settled', 'refused')", name=op.f("ck_refunds_status_known")
        ),
        sa.CheckConstraint(
            "status <> 'settled' OR transaction_id IS NOT NULL",
            name=op.f("ck_refunds_settled_has_a_transaction"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_refunds_program_id_transaction_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_refunds")),
    )
    op.create_index("ix_refunds_order", "refunds", ["program_id", "order_id"])
    op.create_table(
        "events",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("other_member_id", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("points_earned", sa.BigInteger(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("settled_by", sa.String(length=40), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('recorded', 'waiting')", name=op.f("ck_events_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_events_program_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_events_program_id_transaction_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_member", "events", ["program_id", "member_id", "type"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_notices_program_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "program_id",
            "member_id",
            "type",
            "cause",
            name=op.f("uq_notices_program_id_member_id_type_cause"),
        ),
    )


def _refuse_change(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION only_ever_inserted()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION only_ever_inserted()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} are only ever inserted'); END"
        )
