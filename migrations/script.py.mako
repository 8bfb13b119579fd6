"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Expand: the previous version of the code must go on working."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Exactly undo `upgrade`."""
    ${downgrades if downgrades else "pass"}
