"""The life of a code: when it was used, and finding those whose life is over."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
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
    op.create_index(
        "ix_redemptions_promotion_code", "redemptions", ["program_id", "promotion_code_id"]
    )
