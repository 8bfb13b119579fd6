"""A run keeps the prompts that it began with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs of before go on with those of the workers."""
    op.add_column("runs", sa.Column("prompts", postgresql.JSONB()))


def downgrade() -> None:
    """All runs go with those of the workers."""
    op.drop_column("runs", "prompts")
