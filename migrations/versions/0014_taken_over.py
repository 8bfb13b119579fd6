"""Jobs whose answers are taken over are found a group at a time, however large their run."""

from alembic import op
from sqlalchemy import text

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NAME = "ix_jobs_taken_over"


def upgrade() -> None:
    """Only what waits to be taken over is in it."""
    where = text("origin_id IS NOT NULL AND state = 'queued'")
    op.create_index(NAME, "jobs", ["run_id", "id"], postgresql_where=where)


def downgrade() -> None:
    """Through the whole run again."""
    op.drop_index(NAME, table_name="jobs")
