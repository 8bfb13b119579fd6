"""Words of the pages under the spellings by which a typing error finds them."""

from alembic import op
from sqlalchemy import Column, Integer, Text

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers search without them. What is stored is spelt at once."""
    op.create_table(
        "knowledge_spellings",
        Column("folder_id", Integer, primary_key=True, autoincrement=False),
        Column("part", Text, primary_key=True),
        Column("word", Text, primary_key=True),
        Column("place", Integer, primary_key=True, autoincrement=False),
    )
    op.execute("""
        INSERT INTO knowledge_spellings (folder_id, part, word, place)
        SELECT folder_id, part, word, place FROM knowledge_words AS w CROSS JOIN LATERAL (
          SELECT w.word AS part, 0 AS place
          UNION ALL
          SELECT overlay(w.word PLACING '' FROM place FOR 1), place
          FROM generate_series(2, length(w.word)) AS place) AS spelt
        WHERE length(word) BETWEEN 5 AND 24 AND word !~ '[0-9]'
    """)


def downgrade() -> None:
    """Typing errors find nothing any more."""
    op.drop_table("knowledge_spellings")
