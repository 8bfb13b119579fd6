"""Notices go out by mail too, and a run names who is told of its end."""

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old workers go on posting to the webhook; mails are the new ones' business."""
    op.add_column("runs", Column("notify", ARRAY(Text), nullable=False, server_default="{}"))
    op.create_table(
        "notice_mails",
        Column(
            "notice_id",
            BigInteger,
            ForeignKey("notices.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        Column("tries", SmallInteger, nullable=False, server_default=text("0")),
        Column("next_try_at", DateTime(True), nullable=False, server_default=func.now()),
        Column("ended_at", DateTime(True)),
        Column("error", Text),
    )
    op.create_check_constraint("tries", "notice_mails", "tries >= 0")
    where = text("ended_at IS NULL")
    op.create_index("ix_notice_mails_open", "notice_mails", ["next_try_at"], postgresql_where=where)


def downgrade() -> None:
    """Mails that were not sent are not."""
    op.drop_table("notice_mails")
    op.drop_column("runs", "notify")
