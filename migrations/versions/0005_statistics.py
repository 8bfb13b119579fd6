"""Statistics that follow: what changes with each claim and batch is analysed as often as jobs are."""

from alembic import op

revision = "0005"
down_revision = "0012"
branch_labels = None
depends_on = None
OFTEN = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05"
TABLES = ("attempts", "calls", "message_batches")


def upgrade() -> None:
    """Settings of the tables; they lock nothing that workers need."""
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} SET ({OFTEN})")


def downgrade() -> None:
    """As often as Postgres does by itself."""
    for table in TABLES:
        op.execute(
            f"ALTER TABLE {table} RESET"
            " (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor)"
        )
