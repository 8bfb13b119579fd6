"""What a run that waits for money needs: the least worst case of those that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown for runs that wait just now: their next refusal says it."""
    op.add_column("runs", sa.Column("waiting_usd", sa.Numeric(20, 10)))


def downgrade() -> None:
    """Without the sum."""
    op.drop_column("runs", "waiting_usd")
