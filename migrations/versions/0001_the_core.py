"""The core: programs, members, the ledger, orders, redemptions, keys, counters and jobs.

Transactions, postings, allotments and program versions are only ever inserted: triggers refuse the
rest, TRUNCATE included. Autogenerate compares neither triggers nor CHECKs; tests do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

IMMUTABLE = ("transactions", "postings", "allotments", "program_versions")


def refuse_change(table: str) -> None:
    """Refuse UPDATE, DELETE and (where there is one) TRUNCATE on a table."""
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgresql(table)
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} are only ever inserted'); END"
        )


def _refuse_on_postgresql(table: str) -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION only_ever_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% are only ever inserted', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION only_ever_inserted()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION only_ever_inserted()"
    )


def upgrade() -> None:
    op.create_table(
        "clock_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset_seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_settings")),
    )
    op.create_table(
        "counters",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_counters_used_not_negative")),
        sa.PrimaryKeyConstraint("program_id", "name", name=op.f("pk_counters")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("principal", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("resource_id", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "principal", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        "ix_idempotency_keys_body",
        "idempotency_keys",
        ["created_at"],
        sqlite_where=sa.text("body IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=8), server_default="due", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("key_generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('due', 'done', 'dead')", name=op.f("ck_jobs_status_known")),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_jobs")),
        sa.UniqueConstraint(
            "program_id", "kind", "subject_id", name=op.f("uq_jobs_program_id_kind_subject_id")
        ),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_due",
            ["available_at"],
            unique=False,
            sqlite_where=sa.text("status = 'due'"),
            postgresql_where=sa.text("status = 'due'"),
        )

    op.create_table(
        "members",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("status", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("merged_into", sa.String(length=40), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'closed')", name=op.f("ck_members_status_known")
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_members")),
        sa.UniqueConstraint(
            "program_id", "external_id", name=op.f("uq_members_program_id_external_id")
        ),
    )
    op.create_index("ix_members_email", "members", ["program_id", sa.text("lower(email)")])
    op.create_table(
        "programs",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_programs")),
    )
    op.create_table(
        "accounts",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("available", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pending", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("debt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lifetime_earned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sequence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lots_opened", sa.Integer(), server_default="0", nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("available >= 0", name=op.f("ck_accounts_available_not_negative")),
        sa.CheckConstraint(
            "debt = 0 OR available = 0", name=op.f("ck_accounts_debt_is_repaid_first")
        ),
        sa.CheckConstraint("debt >= 0", name=op.f("ck_accounts_debt_not_negative")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_accounts_held_not_negative")),
        sa.CheckConstraint("pending >= 0", name=op.f("ck_accounts_pending_not_negative")),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_accounts_program_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "member_id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "allotments",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("counter", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cause_id", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_allotments_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["program_id", "counter"],
            ["counters.program_id", "counters.name"],
            name=op.f("fk_allotments_program_id_counter"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_allotments")),
    )
    with op.batch_alter_table("allotments", schema=None) as batch_op:
        batch_op.create_index("ix_allotments_cause", ["program_id", "cause_id"], unique=False)

    op.create_table(
        "program_versions",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.program_id"], name=op.f("fk_program_versions_program_id")
        ),
        sa.PrimaryKeyConstraint("program_id", "version", name=op.f("pk_program_versions")),
    )
    op.create_table(
        "staff",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.CheckConstraint(
            "role IN ('agent', 'manager', 'admin')", name=op.f("ck_staff_role_known")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.program_id"], name=op.f("fk_staff_program_id")
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_staff")),
        sa.UniqueConstraint("program_id", "person", name=op.f("uq_staff_program_id_person")),
    )
    op.create_table(
        "clients",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("staff_id", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "scope <> 'staff' OR staff_id IS NOT NULL", name=op.f("ck_clients_staff_is_a_person")
        ),
        sa.CheckConstraint(
            "scope IN ('checkout', 'staff', 'reporting', 'admin')",
            name=op.f("ck_clients_scope_known"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "staff_id"],
            ["staff.program_id", "staff.id"],
            name=op.f("fk_clients_program_id_staff_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.program_id"], name=op.f("fk_clients_program_id")
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_clients")),
        sa.UniqueConstraint("program_id", "name", name=op.f("uq_clients_program_id_name")),
    )
    op.create_table(
        "transactions",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrects_id", sa.String(length=40), nullable=True),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("available_after", sa.BigInteger(), nullable=False),
        sa.Column("pending_after", sa.BigInteger(), nullable=False),
        sa.Column("held_after", sa.BigInteger(), nullable=False),
        sa.Column("debt_after", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('earn', 'maturity', 'expiry', 'repayment', 'credit', 'debit', 'reversal', 'claw_back', 'redemption', 'restoration', 'hold', 'capture', 'release', 'expiry_change', 'merge')",
            name=op.f("ck_transactions_kind_known"),
        ),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_transactions_sequence_positive")),
        sa.ForeignKeyConstraint(
            ["program_id", "corrects_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_transactions_program_id_corrects_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["accounts.program_id", "accounts.member_id"],
            name=op.f("fk_transactions_program_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_transactions")),
        sa.UniqueConstraint(
            "program_id",
            "member_id",
            "sequence",
            name=op.f("uq_transactions_program_id_member_id_sequence"),
        ),
    )
    with op.batch_alter_table("transactions", schema=None) as batch_op:
        batch_op.create_index(
            "uq_transactions_reversal",
            ["program_id", "corrects_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'reversal'"),
            postgresql_where=sa.text("kind = 'reversal'"),
        )

    op.create_table(
        "adjustments",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("customer_note", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("points <> 0", name=op.f("ck_adjustments_points_not_zero")),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_adjustments_program_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_adjustments_program_id_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_adjustments")),
    )
    with op.batch_alter_table("adjustments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_adjustments_transaction", ["program_id", "transaction_id"], unique=False
        )

    op.create_table(
        "api_keys",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["program_id", "client_id"],
            ["clients.program_id", "clients.id"],
            name=op.f("fk_api_keys_program_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("program_id", "sha256", name=op.f("uq_api_keys_program_id_sha256")),
    )
    op.create_table(
        "lots",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=40), nullable=False),
        sa.Column("restores_lot_id", sa.String(length=40), nullable=True),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matures_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("available >= 0", name=op.f("ck_lots_available_not_negative")),
        sa.CheckConstraint("expires_at > matures_at", name=op.f("ck_lots_expires_after_maturity")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_lots_held_not_negative")),
        sa.CheckConstraint("pending >= 0", name=op.f("ck_lots_pending_not_negative")),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["accounts.program_id", "accounts.member_id"],
            name=op.f("fk_lots_program_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "restores_lot_id"],
            ["lots.program_id", "lots.id"],
            name=op.f("fk_lots_program_id_restores_lot_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "opened_by"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_lots_program_id_opened_by"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_lots")),
        sa.UniqueConstraint(
            "program_id", "member_id", "number", name=op.f("uq_lots_program_id_member_id_number")
        ),
    )
    with op.batch_alter_table("lots", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lots_maturity",
            ["program_id", "member_id", "matures_at"],
            unique=False,
            sqlite_where=sa.text("pending > 0"),
            postgresql_where=sa.text("pending > 0"),
        )
        batch_op.create_index(
            "ix_lots_spend_order",
            ["program_id", "member_id", "expires_at", "earned_at", "number"],
            unique=False,
            sqlite_where=sa.text("available > 0"),
            postgresql_where=sa.text("available > 0"),
        )

    op.create_table(
        "orders",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("points_earned", sa.BigInteger(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_orders_program_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_orders_program_id_transaction_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_orders")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_member", ["program_id", "member_id", "placed_at"], unique=False
        )

    op.create_table(
        "redemptions",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.String(length=40), nullable=False),
        sa.Column("reward_id", sa.String(length=40), nullable=False),
        sa.Column("reward_name", sa.String(length=200), nullable=False),
        sa.Column("program_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_off_minor", sa.BigInteger(), nullable=True),
        sa.Column("percent_off", sa.String(length=20), nullable=True),
        sa.Column("minimum_order_minor", sa.BigInteger(), nullable=True),
        sa.Column("coupon_id", sa.String(length=80), nullable=False),
        sa.Column("promotion_code_id", sa.String(length=80), nullable=True),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("restored_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status NOT IN ('failed', 'cancelled')) OR restored_by IS NOT NULL",
            name=op.f("ck_redemptions_points_come_back"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'issued', 'failed', 'cancelling', 'cancelled', 'expiring', 'expired', 'used')",
            name=op.f("ck_redemptions_status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('issued', 'cancelling', 'expiring') OR promotion_code_id IS NOT NULL",
            name=op.f("ck_redemptions_issued_has_a_code"),
        ),
        sa.CheckConstraint(
            "(amount_off_minor IS NULL) <> (percent_off IS NULL)",
            name=op.f("ck_redemptions_one_discount"),
        ),
        sa.CheckConstraint("points > 0", name=op.f("ck_redemptions_points_positive")),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["members.program_id", "members.id"],
            name=op.f("fk_redemptions_program_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "restored_by"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_redemptions_program_id_restored_by"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_redemptions_program_id_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_redemptions")),
    )
    with op.batch_alter_table("redemptions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_redemptions_member", ["program_id", "member_id", "id"], unique=False
        )
        batch_op.create_index("uq_redemptions_code", ["program_id", "code"], unique=True)

    op.create_table(
        "postings",
        sa.Column("program_id", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("debit_kind", sa.String(length=12), nullable=False),
        sa.Column("debit_lot_id", sa.String(length=40), nullable=True),
        sa.Column("debit_hold_id", sa.String(length=40), nullable=True),
        sa.Column("credit_kind", sa.String(length=12), nullable=False),
        sa.Column("credit_lot_id", sa.String(length=40), nullable=True),
        sa.Column("credit_hold_id", sa.String(length=40), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(credit_kind = 'held') = (credit_hold_id IS NOT NULL)",
            name=op.f("ck_postings_credit_names_its_hold"),
        ),
        sa.CheckConstraint(
            "(credit_kind IN ('pending', 'available', 'held')) = (credit_lot_id IS NOT NULL)",
            name=op.f("ck_postings_credit_names_its_lot"),
        ),
        sa.CheckConstraint(
            "(debit_kind = 'held') = (debit_hold_id IS NOT NULL)",
            name=op.f("ck_postings_debit_names_its_hold"),
        ),
        sa.CheckConstraint(
            "(debit_kind IN ('pending', 'available', 'held')) = (debit_lot_id IS NOT NULL)",
            name=op.f("ck_postings_debit_names_its_lot"),
        ),
        sa.CheckConstraint(
            "NOT (debit_kind IN ('issued', 'redeemed', 'expired', 'adjusted', 'forfeited') AND credit_kind IN ('issued', 'redeemed', 'expired', 'adjusted', 'forfeited'))",
            name=op.f("ck_postings_one_side_is_the_members"),
        ),
        sa.CheckConstraint(
            "credit_kind IN ('pending', 'available', 'held', 'debt', 'issued', 'redeemed', 'expired', 'adjusted', 'forfeited')",
            name=op.f("ck_postings_credit_kind_known"),
        ),
        sa.CheckConstraint(
            "debit_kind IN ('pending', 'available', 'held', 'debt', 'issued', 'redeemed', 'expired', 'adjusted', 'forfeited')",
            name=op.f("ck_postings_debit_kind_known"),
        ),
        sa.CheckConstraint(
            "points > 0 AND points <= 1000000000000", name=op.f("ck_postings_points_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "credit_lot_id"],
            ["lots.program_id", "lots.id"],
            name=op.f("fk_postings_program_id_credit_lot_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "debit_lot_id"],
            ["lots.program_id", "lots.id"],
            name=op.f("fk_postings_program_id_debit_lot_id"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id", "transaction_id"],
            ["transactions.program_id", "transactions.id"],
            name=op.f("fk_postings_program_id_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("program_id", "transaction_id", "line", name=op.f("pk_postings")),
    )
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.create_index("ix_postings_debit_lot", ["program_id", "debit_lot_id"], unique=False)

    for table in IMMUTABLE:
        refuse_change(table)
