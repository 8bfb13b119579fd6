"""Whether a run's own columns are all known: where there are none, each reading of its results
went over all its messages to find that out again."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that nobody of before fills: of their runs it is still looked up."""
    op.add_column("runs", sa.Column("columns_known", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Of every run without columns of its own it is looked up."""
    op.drop_column("runs", "columns_known")
