"""Dead letters and reviews are grouped by cause from their index alone."""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME, COLUMNS = "ix_jobs_attention", ["state", "run_id", "id"]
WHERE = text("state IN ('dead', 'review')")


def upgrade() -> None:
    """Made anew, with the cause and the time beside its keys: only dead letters and reviews are in
    it, so it is small."""
    op.drop_index(NAME, table_name="jobs")
    included = ["reason", "finished_at"]
    op.create_index(NAME, "jobs", COLUMNS, postgresql_where=WHERE, postgresql_include=included)


def downgrade() -> None:
    """As it was."""
    op.drop_index(NAME, table_name="jobs")
    op.create_index(NAME, "jobs", COLUMNS, postgresql_where=WHERE)
