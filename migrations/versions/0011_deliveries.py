"""Deliveries: an outbox for answers that may go out, filled by whatever makes them ready."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None

STAMP = sa.DateTime(timezone=True)
DELIVER_RESULTS = """
CREATE FUNCTION deliver_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO deliveries (target, job_id)
  SELECT t.name, r.job_id FROM new_results AS r CROSS JOIN delivery_targets AS t
  WHERE r.accepted AND t.enabled AND (t.simulated OR NOT r.simulated)
  ORDER BY 1, 2 ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""
DELIVER_VERDICTS = """
CREATE FUNCTION deliver_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE deliveries AS d SET state = 'withdrawn', ended_at = now()
  FROM new_reviews AS v
  WHERE v.verdict = 'reject' AND d.job_id = v.job_id AND d.state IN ('waiting', 'dead');
  INSERT INTO deliveries AS d (target, job_id)
  SELECT t.name, v.job_id FROM new_reviews AS v JOIN results AS r USING (job_id)
    CROSS JOIN delivery_targets AS t
  WHERE v.verdict IN ('accept', 'edit') AND t.enabled AND (t.simulated OR NOT r.simulated)
  GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (target, job_id) DO UPDATE SET state = 'waiting', ended_at = NULL, tries = 0,
    revision = d.revision + 1, created_at = now(), next_try_at = now(), error = NULL
  WHERE d.state <> 'waiting';
  RETURN NULL;
END $$
"""
TRIGGERS = {
    "results": (
        DELIVER_RESULTS,
        "CREATE TRIGGER deliver_results AFTER INSERT ON results REFERENCING NEW TABLE AS new_results"
        " FOR EACH STATEMENT EXECUTE FUNCTION deliver_results()",
    ),
    "reviews": (
        DELIVER_VERDICTS,
        "CREATE TRIGGER deliver_verdicts AFTER INSERT ON reviews REFERENCING NEW TABLE AS new_reviews"
        " FOR EACH STATEMENT EXECUTE FUNCTION deliver_verdicts()",
    ),
}


def upgrade() -> None:
    """Two empty tables, and triggers that find no target until one is configured."""
    op.create_table(
        "delivery_targets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("simulated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_at", STAMP),
        sa.Column("paused_by", sa.Text()),
        sa.Column("paused_reason", sa.Text()),
        sa.Column("since", STAMP, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_delivery_targets")),
    )
    op.create_table(
        "deliveries",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", STAMP, server_default=sa.text("now()"), nullable=False),
        sa.Column("next_try_at", STAMP, server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", STAMP),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'dead', 'withdrawn')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_deliveries_tries")),
        sa.CheckConstraint(
            "(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_deliveries_ended")
        ),
        sa.ForeignKeyConstraint(
            ["target"],
            ["delivery_targets.name"],
            name=op.f("fk_deliveries_target_delivery_targets"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_deliveries_job_id_jobs")),
        sa.PrimaryKeyConstraint("target", "job_id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["target", "next_try_at", "job_id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_deliveries_dead",
        "deliveries",
        ["target", "job_id"],
        postgresql_where=sa.text("state = 'dead'"),
    )
    for statements in TRIGGERS.values():
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    """What waits is forgotten."""
    for table, name in (("results", "deliver_results"), ("reviews", "deliver_verdicts")):
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("deliveries")
    op.drop_table("delivery_targets")
