"""When a finished run's shadows were asked about by themselves."""

from alembic import op
from sqlalchemy import Column, DateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers ask about none."""
    op.add_column("runs", Column("shadows_asked_at", DateTime(timezone=True)))


def downgrade() -> None:
    """What was asked stays."""
    op.drop_column("runs", "shadows_asked_at")
