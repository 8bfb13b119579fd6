"""What a run's budget refused, tier by tier."""

from alembic import op
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers write the least of what one claim saw, as they did."""
    op.add_column("runs", Column("tier_waits", JSONB))


def downgrade() -> None:
    """Each claim's refusal is the run's again."""
    op.drop_column("runs", "tier_waits")
