"""Vectors know their folder, so that a large one can have an index of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of a passage that is gone the vector is as well."""
    op.add_column("knowledge_vectors", sa.Column("folder_id", sa.Integer(), nullable=True))
    op.execute("""
        UPDATE knowledge_vectors AS v SET folder_id = p.folder_id
        FROM knowledge_passages AS p WHERE p.id = v.passage_id""")
    op.execute("DELETE FROM knowledge_vectors WHERE folder_id IS NULL")
    op.alter_column("knowledge_vectors", "folder_id", nullable=False)


def downgrade() -> None:
    """Its indexes go with the column."""
    op.drop_column("knowledge_vectors", "folder_id")
