"""What calls are charged at is kept once for all of them: five rates in words were a fifth of a
call's row, and of what closing one writes to the log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table that grows with prices, and a column; calls of before keep their rates themselves."""
    op.create_table(
        "prices",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("rates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_prices")),
    )
    op.add_column("calls", sa.Column("price_version", sa.Text(), nullable=True))


def downgrade() -> None:
    """Each call has its rates itself again."""
    op.execute("""
        UPDATE calls AS c SET price = p.rates FROM prices AS p
        WHERE p.version = c.price_version AND c.price IS NULL""")
    op.drop_column("calls", "price_version")
    op.drop_table("prices")
