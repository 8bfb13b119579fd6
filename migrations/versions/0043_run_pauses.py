"""Who has paused a run, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of runs that are paused the audit knows it."""
    op.add_column("runs", sa.Column("paused_by", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("""
        UPDATE runs AS r SET paused_by = a.actor, paused_at = a.at
        FROM (SELECT DISTINCT ON (target) target, actor, at FROM audit_events
          WHERE action = 'pause' AND target LIKE 'run %' ORDER BY target, id DESC) AS a
        WHERE r.state = 'paused' AND a.target = 'run ' || r.name""")


def downgrade() -> None:
    """The audit has it still."""
    op.drop_column("runs", "paused_at")
    op.drop_column("runs", "paused_by")
