"""Pages of knowledge, cut into passages that can be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty until `rung knowledge sync`."""
    now = sa.text("now()")
    op.create_table(
        "knowledge_folders",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("chars", sa.Integer(), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_folders"),
        sa.UniqueConstraint("name", name="uq_knowledge_folders_name"),
    )
    op.create_table(
        "knowledge_pages",
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.ForeignKeyConstraint(
            ["folder_id"],
            ["knowledge_folders.id"],
            name="fk_knowledge_pages_folder_id_knowledge_folders",
        ),
        sa.PrimaryKeyConstraint("folder_id", "name", name="pk_knowledge_pages"),
    )
    op.create_table(
        "knowledge_passages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["folder_id"],
            ["knowledge_folders.id"],
            name="fk_knowledge_passages_folder_id_knowledge_folders",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_passages"),
    )
    op.create_index(
        "ix_knowledge_passages_folder_id_page", "knowledge_passages", ["folder_id", "page"]
    )
    op.create_index("ix_knowledge_passages_name", "knowledge_passages", ["name"])
    op.create_table(
        "knowledge_postings",
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("passage_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("folder_id", "word", "passage_id", name="pk_knowledge_postings"),
    )
    op.create_index("ix_knowledge_postings_passage_id", "knowledge_postings", ["passage_id"])
    op.create_table(
        "knowledge_words",
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("folder_id", "word", name="pk_knowledge_words"),
    )


def downgrade() -> None:
    """The pages stay where they were read from."""
    for table in ("words", "postings", "passages", "pages", "folders"):
        op.drop_table(f"knowledge_{table}")
