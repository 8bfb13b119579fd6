"""The passages of which a word says most are read first; often said counts for a little more."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

BY_PASSAGE = ["folder_id", "word", "passage_id"]
BY_WEIGHT = ["folder_id", "word", "weight", "passage_id"]


def upgrade() -> None:
    """Weights are those that a sync writes now (BM25 with k1 = 2 instead of 1.2): how often a word
    stands follows from the old one."""
    op.drop_constraint("pk_knowledge_postings", "knowledge_postings")
    op.execute("""
        UPDATE knowledge_postings SET weight
          = 3 * (1.2 * weight / (2.2 - weight)) / (1.2 * weight / (2.2 - weight) + 2)""")
    op.create_primary_key("pk_knowledge_postings", "knowledge_postings", BY_WEIGHT)


def downgrade() -> None:
    """As it was weighed before."""
    op.drop_constraint("pk_knowledge_postings", "knowledge_postings")
    op.execute("""
        UPDATE knowledge_postings SET weight
          = 2.2 * (2 * weight / (3 - weight)) / (2 * weight / (3 - weight) + 1.2)""")
    op.create_primary_key("pk_knowledge_postings", "knowledge_postings", BY_PASSAGE)
