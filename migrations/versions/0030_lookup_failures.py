"""Look-ups that fail are said where people look, and not in the log alone."""

from alembic import op
from sqlalchemy import Column, DateTime, Text, func

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers write nothing of it."""
    op.create_table(
        "lookup_failures",
        Column("name", Text, primary_key=True),
        Column("why", Text, nullable=False),
        Column("on_failure", Text, nullable=False),
        Column("since", DateTime(True), nullable=False, server_default=func.now()),
        Column("last_at", DateTime(True), nullable=False, server_default=func.now()),
    )


def downgrade() -> None:
    """They are in the log."""
    op.drop_table("lookup_failures")
