"""Holds: until when Claude asked a queue to send nothing, why, and whether somebody lifts that."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns beside the pause and the breaker; old workers do not look at them."""
    op.add_column("tiers", sa.Column("held_until", sa.DateTime(timezone=True)))
    op.add_column("tiers", sa.Column("held_at", sa.DateTime(timezone=True)))
    op.add_column("tiers", sa.Column("held_reason", sa.Text()))
    op.add_column(
        "tiers",
        sa.Column("lift_asked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    """Without holds on screens; Redis keeps them."""
    for name in ("lift_asked", "held_reason", "held_at", "held_until"):
        op.drop_column("tiers", name)
