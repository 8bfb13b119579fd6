"""What live runs did in the last minutes, so that every surface forecasts alike."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty: the workers' housekeeping fills it."""
    op.create_table(
        "run_paces",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_paces_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "slot", name=op.f("pk_run_paces")),
    )


def downgrade() -> None:
    """Each process knows what it has seen itself."""
    op.drop_table("run_paces")
