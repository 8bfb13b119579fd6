"""Shadows: messages that chance chose to know more of than was needed to answer them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column with a default, and an empty table."""
    share = sa.Column("shadow_share", sa.Numeric(9, 8), server_default=sa.text("0"), nullable=False)
    op.add_column("runs", share)
    op.create_check_constraint(
        op.f("ck_runs_shadow_share"), "runs", "shadow_share >= 0 AND shadow_share <= 1"
    )
    op.create_table(
        "shadows",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("probability", sa.Numeric(9, 8), nullable=False),
        sa.Column(
            "drawn_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "probability > 0 AND probability <= 1", name=op.f("ck_shadows_probability")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_shadows_job_id_jobs")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_shadows")),
    )
    op.create_index("ix_shadows_run_id", "shadows", ["run_id", "job_id"])


def downgrade() -> None:
    """What was asked stays; that chance chose it is forgotten."""
    op.drop_table("shadows")
    op.drop_constraint(op.f("ck_runs_shadow_share"), "runs", type_="check")
    op.drop_column("runs", "shadow_share")
