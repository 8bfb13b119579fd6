"""An attempt says which version of the pages it could stand on."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Attempts of before had no folders to look in."""
    op.add_column("attempts", sa.Column("knowledge_version", sa.Text()))


def downgrade() -> None:
    """Certificates no longer notice a page that changed."""
    op.drop_column("attempts", "knowledge_version")
