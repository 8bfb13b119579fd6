"""Passages as embedders see them, for searches by meaning where pgvector is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Numbers alone: the table is there without the extension as well."""
    op.create_table(
        "knowledge_vectors",
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("passage_id", sa.BigInteger(), nullable=False),
        sa.Column("vector", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.PrimaryKeyConstraint(
            "embedder", "digest", "passage_id", name=op.f("pk_knowledge_vectors")
        ),
    )
    op.create_index("ix_knowledge_vectors_passage_id", "knowledge_vectors", ["passage_id"])


def downgrade() -> None:
    """What was embedded is asked anew by the next sync."""
    op.drop_table("knowledge_vectors")
