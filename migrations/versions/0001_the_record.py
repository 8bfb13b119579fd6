"""The record: every table of the first release, with its counters' trigger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


COUNT_JOBS = """
CREATE FUNCTION count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO run_counts AS c (run_id, state, tier, jobs)
    SELECT run_id, state, coalesce(tier, ''), count(*) FROM new_jobs
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO run_counts AS c (run_id, state, tier, jobs)
    SELECT run_id, state, coalesce(tier, ''), -count(*) FROM old_jobs
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  ELSE
    INSERT INTO run_counts AS c (run_id, state, tier, jobs)
    SELECT run_id, state, tier, sum(delta) FROM (
      SELECT run_id, state, coalesce(tier, '') AS tier, 1 AS delta FROM new_jobs
      UNION ALL SELECT run_id, state, coalesce(tier, ''), -1 FROM old_jobs) AS moved
    GROUP BY 1, 2, 3 HAVING sum(delta) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (run_id, state, tier) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  END IF;
  RETURN NULL;
END $$
"""
COUNT_JOBS_TRIGGERS = tuple(
    f"CREATE TRIGGER count_jobs_{verb.lower()} AFTER {verb} ON jobs "
    f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION count_jobs()"
    for verb, tables in (
        ("INSERT", "NEW TABLE AS new_jobs"),
        ("UPDATE", "OLD TABLE AS old_jobs NEW TABLE AS new_jobs"),
        ("DELETE", "OLD TABLE AS old_jobs"),
    )
)


def upgrade() -> None:
    """Expand: the previous version of the code must go on working."""
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("affected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"], unique=False)
    op.create_table(
        "canaries",
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("good", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bad", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "tier", "prompt_version", "schema_version", "model", name=op.f("pk_canaries")
        ),
    )
    op.create_table(
        "classifications",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("difficulty", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "digest", "prompt_version", "model", name=op.f("pk_classifications")
        ),
    )
    op.create_table(
        "message_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="intended", nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("simulated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "next_poll_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("stage IN ('route', 'answer')", name=op.f("ck_message_batches_stage")),
        sa.CheckConstraint(
            "state IN ('intended', 'submitted', 'ended', 'recorded', 'failed')",
            name=op.f("ck_message_batches_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_batches")),
        sa.UniqueConstraint("external_id", name=op.f("uq_message_batches_external_id")),
    )
    op.create_index(
        "ix_message_batches_open",
        "message_batches",
        ["state", "next_poll_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('intended', 'submitted', 'ended')"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_messages_source_external_id")),
    )
    op.create_index("ix_messages_external_id", "messages", ["external_id"], unique=False)
    op.create_index(
        "ix_messages_customer_id",
        "messages",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.create_table(
        "prompts",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "purpose IN ('classify', 'answer', 'check')", name=op.f("ck_prompts_purpose")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_prompts")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="backlog", nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("accepting", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy_name", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), server_default="realtime", nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("budget_cap", sa.Numeric(precision=20, scale=10), nullable=True),
        sa.Column("rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicates", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("selection", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('backlog', 'reprocess')", name=op.f("ck_runs_kind")),
        sa.CheckConstraint("lane IN ('realtime', 'batch')", name=op.f("ck_runs_lane")),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'finished', 'cancelled')", name=op.f("ck_runs_state")
        ),
        sa.CheckConstraint("rejected >= 0 AND duplicates >= 0", name=op.f("ck_runs_counts")),
        sa.ForeignKeyConstraint(["parent_id"], ["runs.id"], name=op.f("fk_runs_parent_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_runs_key")),
        sa.UniqueConstraint("name", name=op.f("uq_runs_name")),
    )
    op.create_index(
        "ix_runs_live",
        "runs",
        ["priority", "id"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_try_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_notices_tries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notices_key")),
    )
    op.create_index(
        "ix_notices_open",
        "notices",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", "cron", "timezone", name=op.f("pk_schedules")),
    )
    op.create_table(
        "firings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "fired_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("missed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("jobs", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column(
            "selection",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('made', 'nothing', 'failed')", name=op.f("ck_firings_state")),
        sa.CheckConstraint("missed >= 0", name=op.f("ck_firings_missed")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_firings_run_id_runs"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("name", "night", name=op.f("pk_firings")),
    )
    op.create_index(
        "ix_firings_run_id",
        "firings",
        ["run_id"],
        unique=False,
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_table(
        "tiers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breaker", sa.Text(), server_default="closed", nullable=False),
        sa.Column("breaker_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breaker_reason", sa.Text(), nullable=True),
        sa.Column("trouble", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("window_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("good", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("troubled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trips", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "breaker IN ('closed', 'open', 'half_open')", name=op.f("ck_tiers_breaker")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tiers")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("capacity", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "in_flight",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("stopping", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("last_claim_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "in_hand",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "budgets",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("cap", sa.Numeric(precision=20, scale=10), nullable=True),
        sa.Column(
            "reserved",
            sa.Numeric(precision=20, scale=10),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "spent", sa.Numeric(precision=20, scale=10), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "overrun",
            sa.Numeric(precision=20, scale=10),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("warned_percent", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "cap IS NULL OR spent + reserved <= cap + overrun", name=op.f("ck_budgets_cap")
        ),
        sa.CheckConstraint(
            "reserved >= 0 AND spent >= 0 AND overrun >= 0", name=op.f("ck_budgets_not_negative")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_budgets_run_id_runs")),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_budgets")),
        sa.UniqueConstraint("day", name=op.f("uq_budgets_day")),
        sa.UniqueConstraint("run_id", name=op.f("uq_budgets_run_id")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("rung", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lane", sa.Text(), server_default="realtime", nullable=False),
        sa.Column(
            "queue",
            sa.Text(),
            sa.Computed(
                "CASE WHEN state IN ('queued', 'routed') THEN CASE WHEN lane = 'batch' THEN 'batch.' ELSE '' END || CASE WHEN state = 'queued' THEN 'routing' ELSE tier END END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "available_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deferrals", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("escalations", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("difficulty", sa.Text(), nullable=True),
        sa.Column(
            "cost", sa.Numeric(precision=20, scale=10), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (state IN ('queued', 'routed', 'submitted'))",
            name=op.f("ck_jobs_finished"),
        ),
        sa.CheckConstraint("lane IN ('realtime', 'batch')", name=op.f("ck_jobs_lane")),
        sa.CheckConstraint(
            "state IN ('queued', 'routed', 'submitted', 'answered', 'review', 'dead', 'cancelled')",
            name=op.f("ck_jobs_state"),
        ),
        sa.CheckConstraint("state <> 'routed' OR tier IS NOT NULL", name=op.f("ck_jobs_tier")),
        sa.CheckConstraint(
            "fence >= 0 AND attempts >= 0 AND failures >= 0", name=op.f("ck_jobs_counts")
        ),
        sa.CheckConstraint("lease_until IS NULL OR queue IS NOT NULL", name=op.f("ck_jobs_lease")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_jobs_message_id_messages")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_jobs_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("run_id", "message_id", name=op.f("uq_jobs_run_id_message_id")),
        postgresql_with={
            "fillfactor": 80,
            "autovacuum_vacuum_scale_factor": 0.02,
            "autovacuum_analyze_scale_factor": 0.05,
        },
    )
    op.create_index(
        "ix_jobs_attention",
        "jobs",
        ["state", "run_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('dead', 'review')"),
    )
    op.create_index(
        "ix_jobs_dispatched",
        "jobs",
        ["queue", "dispatched_at"],
        unique=False,
        postgresql_where=sa.text("dispatched_at IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_leased",
        "jobs",
        ["queue", "lease_until"],
        unique=False,
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index("ix_jobs_message_id", "jobs", ["message_id"], unique=False)
    op.create_index(
        "ix_jobs_ready",
        "jobs",
        ["run_id", "queue", sa.literal_column("priority DESC"), "available_at", "id"],
        unique=False,
        postgresql_where=sa.text(
            "queue IS NOT NULL AND lease_until IS NULL AND dispatched_at IS NULL"
        ),
    )
    op.create_table(
        "run_counts",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'routed', 'submitted', 'answered', 'review', 'dead', 'cancelled')",
            name=op.f("ck_run_counts_state"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_counts_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "state", "tier", name=op.f("pk_run_counts")),
    )
    op.create_table(
        "run_escalations",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("from_tier", sa.Text(), nullable=False),
        sa.Column("to_tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("escalations", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_escalations_run_id_runs")
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "from_tier", "to_tier", "reason", name=op.f("pk_run_escalations")
        ),
    )
    op.create_table(
        "run_spend",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "cache_read_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "cache_write_5m_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "cache_write_1h_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("output_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "cost", sa.Numeric(precision=20, scale=10), server_default=sa.text("0"), nullable=False
        ),
        sa.CheckConstraint("lane IN ('realtime', 'batch')", name=op.f("ck_run_spend_lane")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_spend_run_id_runs")),
        sa.PrimaryKeyConstraint(
            "run_id",
            "tier",
            "purpose",
            "model",
            "lane",
            "state",
            "simulated",
            name=op.f("pk_run_spend"),
        ),
    )
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="started", nullable=False),
        sa.Column(
            "reasons", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("difficulty", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column("threshold", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("schema_version", sa.Text(), nullable=True),
        sa.Column("effort", sa.Text(), nullable=True),
        sa.Column("max_tokens", sa.Integer(), nullable=True),
        sa.Column("hint", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("answer_fence", sa.Integer(), nullable=True),
        sa.Column(
            "reserved",
            sa.Numeric(precision=20, scale=10),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "cost", sa.Numeric(precision=20, scale=10), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("budget_day", sa.Date(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "claimed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (outcome = 'started')", name=op.f("ck_attempts_finished")
        ),
        sa.CheckConstraint("lane IN ('realtime', 'batch')", name=op.f("ck_attempts_lane")),
        sa.CheckConstraint(
            "outcome IN ('started', 'routed', 'accepted', 'rejected', 'refused', 'truncated', 'empty', 'malformed', 'deferred', 'failed', 'lost', 'superseded')",
            name=op.f("ck_attempts_outcome"),
        ),
        sa.CheckConstraint("stage IN ('route', 'answer')", name=op.f("ck_attempts_stage")),
        sa.CheckConstraint("reserved >= 0 AND cost >= 0", name=op.f("ck_attempts_money")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["message_batches.id"], name=op.f("fk_attempts_batch_id_message_batches")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_attempts_job_id_jobs")),
        sa.PrimaryKeyConstraint("job_id", "fence", name=op.f("pk_attempts")),
    )
    op.create_index(
        "ix_attempts_batch_id",
        "attempts",
        ["batch_id"],
        unique=False,
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_index(
        "ix_attempts_open",
        "attempts",
        ["worker"],
        unique=False,
        postgresql_where=sa.text("outcome = 'started' AND batch_id IS NULL"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "(verdict = 'edit') = (reply IS NOT NULL)", name=op.f("ck_reviews_reply")
        ),
        sa.CheckConstraint(
            "verdict <> 'reject' OR reason IS NOT NULL", name=op.f("ck_reviews_reason")
        ),
        sa.CheckConstraint(
            "verdict IN ('accept', 'edit', 'reject')", name=op.f("ck_reviews_verdict")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_reviews_job_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_job_id", "reviews", ["job_id"], unique=False)
    op.create_table(
        "calls",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="sent", nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "cache_write_5m_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "cache_write_1h_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("output_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "worst_cost",
            sa.Numeric(precision=20, scale=10),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("cost", sa.Numeric(precision=20, scale=10), nullable=True),
        sa.Column("price", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("unpriced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("stop_category", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("service_tier", sa.Text(), nullable=True),
        sa.Column("simulated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("shared", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("lane IN ('realtime', 'batch')", name=op.f("ck_calls_lane")),
        sa.CheckConstraint(
            "purpose IN ('classify', 'answer', 'check')", name=op.f("ck_calls_purpose")
        ),
        sa.CheckConstraint(
            "state IN ('sent', 'done', 'failed', 'lost')", name=op.f("ck_calls_state")
        ),
        sa.CheckConstraint("cost IS NULL OR cost >= 0", name=op.f("ck_calls_cost")),
        sa.ForeignKeyConstraint(
            ["job_id", "fence"],
            ["attempts.job_id", "attempts.fence"],
            name=op.f("fk_calls_job_id_fence_attempts"),
        ),
        sa.PrimaryKeyConstraint("job_id", "fence", "purpose", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_sent_at", "calls", ["sent_at"], unique=False, postgresql_using="brin")
    op.create_table(
        "escalations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("from_tier", sa.Text(), nullable=False),
        sa.Column("to_tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("from_tier <> to_tier", name=op.f("ck_escalations_step")),
        sa.ForeignKeyConstraint(
            ["job_id", "fence"],
            ["attempts.job_id", "attempts.fence"],
            name=op.f("fk_escalations_job_id_fence_attempts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
    )
    op.create_index("ix_escalations_job_id_fence", "escalations", ["job_id", "fence"], unique=True)
    op.create_table(
        "results",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("confidence", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column(
            "reasons", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("simulated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["job_id", "fence"],
            ["attempts.job_id", "attempts.fence"],
            name=op.f("fk_results_job_id_fence_attempts"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_results_job_id_jobs")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_results")),
    )
    for statement in (COUNT_JOBS, *COUNT_JOBS_TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Exactly undo `upgrade`."""
    op.drop_table("results")
    op.drop_index("ix_escalations_job_id_fence", table_name="escalations")
    op.drop_table("escalations")
    op.drop_index("ix_calls_sent_at", table_name="calls", postgresql_using="brin")
    op.drop_table("calls")
    op.drop_index("ix_reviews_job_id", table_name="reviews")
    op.drop_table("reviews")
    op.drop_index(
        "ix_attempts_open",
        table_name="attempts",
        postgresql_where=sa.text("outcome = 'started' AND batch_id IS NULL"),
    )
    op.drop_index(
        "ix_attempts_batch_id",
        table_name="attempts",
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.drop_table("attempts")
    op.drop_table("run_spend")
    op.drop_table("run_escalations")
    op.drop_table("run_counts")
    op.drop_index(
        "ix_jobs_ready",
        table_name="jobs",
        postgresql_where=sa.text(
            "queue IS NOT NULL AND lease_until IS NULL AND dispatched_at IS NULL"
        ),
    )
    op.drop_index("ix_jobs_message_id", table_name="jobs")
    op.drop_index(
        "ix_jobs_leased", table_name="jobs", postgresql_where=sa.text("lease_until IS NOT NULL")
    )
    op.drop_index(
        "ix_jobs_dispatched",
        table_name="jobs",
        postgresql_where=sa.text("dispatched_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_jobs_attention",
        table_name="jobs",
        postgresql_where=sa.text("state IN ('dead', 'review')"),
    )
    op.drop_table("jobs")
    op.drop_table("budgets")
    op.drop_table("workers")
    op.drop_table("tiers")
    op.drop_index(
        "ix_firings_run_id",
        table_name="firings",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.drop_table("firings")
    op.drop_table("schedules")
    op.drop_index(
        "ix_notices_open",
        table_name="notices",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_table("notices")
    op.drop_index(
        "ix_runs_live", table_name="runs", postgresql_where=sa.text("finished_at IS NULL")
    )
    op.drop_table("runs")
    op.drop_table("prompts")
    op.drop_index("ix_messages_external_id", table_name="messages")
    op.drop_index(
        "ix_messages_customer_id",
        table_name="messages",
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.drop_table("messages")
    op.drop_index(
        "ix_message_batches_open",
        table_name="message_batches",
        postgresql_where=sa.text("state IN ('intended', 'submitted', 'ended')"),
    )
    op.drop_table("message_batches")
    op.drop_table("classifications")
    op.drop_table("canaries")
    op.drop_index("ix_audit_events_at", table_name="audit_events")
    op.drop_table("audit_events")
    op.execute("DROP FUNCTION count_jobs()")
