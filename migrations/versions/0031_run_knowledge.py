"""Pages whole in the prompt or searched: decided for each run, and kept with the arithmetic."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, Numeric, Text, func
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers search, and write nothing of it."""
    op.create_table(
        "run_knowledge",
        Column("run_id", BigInteger, primary_key=True, autoincrement=False),
        Column("version", Text, primary_key=True),
        Column("whole", Boolean, nullable=False),
        Column("by", Text, nullable=False),
        Column("shown", JSONB),
        Column("model", Text, nullable=False),
        Column("lane", Text, nullable=False),
        Column("messages", Integer, nullable=False),
        Column("tokens_whole", Integer, nullable=False),
        Column("tokens_searched", Integer, nullable=False),
        Column("usd_whole", Numeric(20, 10)),
        Column("usd_searched", Numeric(20, 10), nullable=False),
        Column("decided_at", DateTime(True), nullable=False, server_default=func.now()),
    )
    op.add_column("prompts", Column("base", Text))


def downgrade() -> None:
    """Prompts with pages stay, as prompts of their own."""
    op.drop_column("prompts", "base")
    op.drop_table("run_knowledge")
