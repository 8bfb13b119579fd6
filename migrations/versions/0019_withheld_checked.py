"""Attempts of before hold to the longer list of outcomes, as they did to the shorter one."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """In a transaction of its own: it reads the whole table, and workers go on meanwhile."""
    op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT ck_attempts_outcome")


def downgrade() -> None:
    """What has been looked at stays so."""
