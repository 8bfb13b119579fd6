"""The counters once a minute: an hour of history for the first page."""

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, Numeric, func, text

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers write no history, and read none."""
    op.create_table(
        "minutes",
        Column("at", DateTime(True), primary_key=True),
        Column("taken_at", DateTime(True), nullable=False, server_default=func.now()),
        *(
            Column(name, BigInteger, nullable=False, server_default=text("0"))
            for name in ("ended", "waiting", "at_claude", "failed_calls")
        ),
        Column("spent", Numeric(20, 10), nullable=False, server_default=text("0")),
    )


def downgrade() -> None:
    """The history is gone; it begins anew with the next version."""
    op.drop_table("minutes")
