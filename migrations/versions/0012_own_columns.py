"""The row's own columns come back in the order of the file: JSONB keeps none."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs of before have none: their columns come by name."""
    op.add_column(
        "runs",
        sa.Column(
            "own_columns",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )


def downgrade() -> None:
    """By name again."""
    op.drop_column("runs", "own_columns")
