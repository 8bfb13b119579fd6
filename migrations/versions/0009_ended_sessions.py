"""Sessions of the dashboard end everywhere, and stay ended over a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A row for each session that was ended; small, for each goes when its cookie is too old."""
    op.create_table(
        "ended_sessions",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("too_old_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_ended_sessions")),
    )


def downgrade() -> None:
    """As it was: sessions that were ended are good again until they are too old."""
    op.drop_table("ended_sessions")
