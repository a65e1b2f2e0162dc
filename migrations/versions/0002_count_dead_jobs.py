"""An index over the jobs that were given up, so that counting them reads nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever writes a promise waits for one pass over the table.
    op.create_index(
        "ix_jobs_dead",
        "jobs",
        ["available_at"],
        sqlite_where=sa.text("status = 'dead'"),
        postgresql_where=sa.text("status = 'dead'"),
    )
