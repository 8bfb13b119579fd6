"""An attempt may be withheld: it could have cost more than a message may."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BEFORE = (
    "'started', 'routed', 'accepted', 'rejected', 'refused', 'truncated', 'empty', 'malformed',"
    " 'deferred', 'failed', 'lost', 'superseded'"
)
NAME = "ck_attempts_outcome"


def upgrade() -> None:
    """One more word. Rows that are there are looked at by the next revision, which locks nobody
    out."""
    _words(f"{BEFORE}, 'withheld'")


def downgrade() -> None:
    """What was withheld was not asked for either way."""
    op.execute("UPDATE attempts SET outcome = 'failed' WHERE outcome = 'withheld'")
    _words(BEFORE)
    op.execute(f"ALTER TABLE attempts VALIDATE CONSTRAINT {NAME}")


def _words(words: str) -> None:
    op.execute(f"ALTER TABLE attempts DROP CONSTRAINT {NAME}")
    op.execute(f"ALTER TABLE attempts ADD CONSTRAINT {NAME} CHECK (outcome IN ({words})) NOT VALID")
