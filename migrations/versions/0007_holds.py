"""Holds: points reserved while an order is paid, and what its refunds give back of them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("holds", *_columns(), *_keys(), *_checks())
    op.create_index("ix_holds_member", "holds", ["program_id", "member_id", "id"])
    op.create_index("ix_holds_order", "holds", ["program_id", "order_id"])
    op.create_index(
        "ix_holds_end",
        "holds",
        ["expires_at"],
        sqlite_where=sa.text("status = 'held'"),
        postgresql_where=sa.text("status = 'held'"),
    )
    points = {"server_default": "0", "nullable": False}
    op.add_column("refunds", sa.Column("points_returned", sa.BigInteger(), **points))
    op.add_column("refunds", sa.Column("money_back_minor", sa.BigInteger()))


def _columns():
    moment, points, ref = sa.DateTime(timezone=True), sa.BigInteger(), sa.String(length=40)
    for name, kind in (
        ("program_id", ref),
        ("id", ref),
        ("member_id", ref),
        ("order_id", sa.String(length=200)),
        ("status", sa.String(length=12)),
        ("points", points),
        ("captured_points", points),
        ("returned_points", points),
        ("program_version", sa.Integer()),
        ("currency", sa.String(length=3)),
        ("created_at", moment),
        ("expires_at", moment),
        ("past_opens_a_lot", sa.Boolean()),
        ("past_is_anew", sa.Boolean()),
        ("transaction_id", ref),
    ):
        yield sa.Column(name, kind, nullable=False)
    for name, kind in (
        ("reward_id", ref),
        ("amount_minor", points),
        ("minimum_order_minor", points),
        ("past_expires_at", moment),
        ("captured_by", ref),
        ("captured_at", moment),
        ("released_by", ref),
        ("capture_failed_at", moment),
    ):
        yield sa.Column(name, kind)


def _keys():
    yield sa.PrimaryKeyConstraint("program_id", "id", name=op.f("pk_holds"))
    yield sa.ForeignKeyConstraint(
        ["program_id", "member_id"],
        ["members.program_id", "members.id"],
        name=op.f("fk_holds_program_id_member_id"),
    )
    for by, deferred in (
        ("transaction_id", {}),
        ("captured_by", {"deferrable": True, "initially": "DEFERRED"}),
        ("released_by", {"deferrable": True, "initially": "DEFERRED"}),
    ):
        yield sa.ForeignKeyConstraint(
            ["program_id", by],
            ["transactions.program_id", "transactions.id"],
            name=op.f(f"fk_holds_program_id_{by}"),
            **deferred,
        )


def _checks():
    for name, rule in (
        ("status_known", "status IN ('held', 'captured', 'released', 'expired')"),
        ("points_in_range", "points > 0 AND points <= 1000000000000"),
        ("ends_after_it_begins", "expires_at > created_at"),
        ("captured_is_held", "captured_points BETWEEN 0 AND points"),
        ("returned_is_spent", "returned_points BETWEEN 0 AND captured_points"),
        (
            "captured_once",
            "(status = 'captured') = (captured_points > 0)"
            " AND (status = 'captured') = (captured_by IS NOT NULL)"
            " AND (status = 'captured') = (captured_at IS NOT NULL)",
        ),
        (
            "what_is_not_captured_comes_back",
            "CASE status WHEN 'held' THEN released_by IS NULL"
            " WHEN 'captured' THEN released_by IS NOT NULL OR captured_points = points"
            " ELSE released_by IS NOT NULL END",
        ),
    ):
        yield sa.CheckConstraint(rule, name=op.f(f"ck_holds_{name}"))
