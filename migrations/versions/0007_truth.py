"""Truth beside the record: audits, truths, certificates, evidence, forecasts; the mixed lane."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0009"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
STAMP = sa.DateTime(timezone=True)
ANSWER = (["job_id", "fence"], ["attempts.job_id", "attempts.fence"])
NEW_TABLES = ("evidence", "certificates", "forecasts", "truths", "audits", "audit_salt")
OF_ATTEMPTS: dict[str, sa.types.TypeEngine[Any]] = {
    "score": sa.Numeric(5, 4),
    "standard": sa.Numeric(5, 4),
    "certificate_id": sa.BigInteger(),
}


def upgrade() -> None:
    """Columns with defaults and empty tables: nothing is rewritten."""
    for name, kind in OF_ATTEMPTS.items():
        op.add_column("attempts", sa.Column(name, kind))
    share = sa.Column("audit_share", sa.Numeric(9, 8), server_default=sa.text("0"), nullable=False)
    op.add_column("runs", share)
    op.create_check_constraint(
        op.f("ck_runs_audit_share"), "runs", "audit_share >= 0 AND audit_share <= 1"
    )
    _lanes("'realtime', 'batch', 'mixed'")
    _truths()
    _certificates()


def _lanes(words: str) -> None:
    op.drop_constraint(op.f("ck_runs_lane"), "runs", type_="check")
    op.create_check_constraint(op.f("ck_runs_lane"), "runs", f"lane IN ({words})")


def _truths() -> None:
    op.create_table(
        "audit_salt",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_salt_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_salt")),
    )
    op.execute("INSERT INTO audit_salt VALUES (1, gen_random_uuid()::text || gen_random_uuid())")
    op.create_table(
        "audits",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="audit", nullable=False),
        sa.Column("probability", sa.Numeric(9, 8), nullable=False),
        sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("drawn_at", STAMP, server_default=NOW, nullable=False),
        sa.CheckConstraint("purpose IN ('audit', 'shadow')", name=op.f("ck_audits_purpose")),
        sa.CheckConstraint("state IN ('open', 'second', 'graded')", name=op.f("ck_audits_state")),
        sa.CheckConstraint(
            "probability > 0 AND probability <= 1", name=op.f("ck_audits_probability")
        ),
        sa.ForeignKeyConstraint(*ANSWER, name=op.f("fk_audits_job_id_fence_attempts")),
        sa.PrimaryKeyConstraint("job_id", "fence", name=op.f("pk_audits")),
    )
    op.create_index("ix_audits_run_id", "audits", ["run_id", "job_id"])
    op.create_index(
        "ix_audits_open", "audits", ["run_id", "job_id"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "truths",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("grader", sa.Text(), nullable=False),
        sa.Column("grader_name", sa.Text(), nullable=False),
        sa.Column("is_right", sa.Boolean()),
        sa.Column("at", STAMP, server_default=NOW, nullable=False),
        sa.Column("undone_at", STAMP),
        sa.CheckConstraint("grader IN ('person', 'tier', 'import')", name=op.f("ck_truths_grader")),
        sa.ForeignKeyConstraint(*ANSWER, name=op.f("fk_truths_job_id_fence_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_truths")),
    )
    op.create_index(
        "ix_truths_in_force",
        "truths",
        ["job_id", "fence", "grader", "grader_name"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("claim", "tier", "top")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("alpha", "delta")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("errors", "labels")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("upper", "coverage")),
        sa.Column("threshold", sa.Numeric(5, 4), nullable=False),
        sa.Column("fallback", sa.Numeric(5, 4)),
        sa.Column("scorer", postgresql.JSONB()),
        sa.Column("segment_by", sa.Text(), nullable=False),
        sa.Column(
            "segments", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        *(
            sa.Column(name, postgresql.JSONB(), nullable=False)
            for name in ("key", "runs", "sources")
        ),
        sa.Column("rehearsal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="valid", nullable=False),
        sa.Column("voided_by", sa.Text()),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", STAMP, server_default=NOW, nullable=False),
        sa.Column("changed_at", STAMP, server_default=NOW, nullable=False),
        sa.CheckConstraint("claim IN ('parity', 'accuracy')", name=op.f("ck_certificates_claim")),
        sa.CheckConstraint(
            "state IN ('valid', 'amber', 'void')", name=op.f("ck_certificates_state")
        ),
        sa.CheckConstraint("errors >= 0 AND labels >= errors", name=op.f("ck_certificates_counts")),
        sa.CheckConstraint(
            "(state = 'void') = (voided_by IS NOT NULL)", name=op.f("ck_certificates_void")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
    )
    op.create_index(
        "ix_certificates_live", "certificates", ["id"], postgresql_where=sa.text("state <> 'void'")
    )
    op.create_table(
        "evidence",
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("audits", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("wealth", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("detector", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("most", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_evidence_certificate_id_certificates"),
        ),
        sa.PrimaryKeyConstraint("certificate_id", "day", name=op.f("pk_evidence")),
    )
    op.create_table(
        "forecasts",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("p10", "p50", "p90")),
        sa.Column("recorded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_at", STAMP, server_default=NOW, nullable=False),
        sa.CheckConstraint(
            "measure IN ('usd', 'seconds', 'people')", name=op.f("ck_forecasts_measure")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_forecasts_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "measure", name=op.f("pk_forecasts")),
    )


def downgrade() -> None:
    """Tables, columns; a mixed run becomes one in realtime."""
    for name in NEW_TABLES:
        op.drop_table(name)
    op.execute("UPDATE runs SET lane = 'realtime' WHERE lane = 'mixed'")
    _lanes("'realtime', 'batch'")
    op.drop_constraint(op.f("ck_runs_audit_share"), "runs", type_="check")
    op.drop_column("runs", "audit_share")
    for name in OF_ATTEMPTS:
        op.drop_column("attempts", name)
