"""What the model was shown beside a message, by content."""

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class ShownContext(Base):
    """What the model was shown beside a message: once for all attempts alike, erased with it."""

    __tablename__ = "contexts"

    # No foreign key: a claim would lock the rows of all its messages for it.
    message_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    created_at: Mapped[Instant] = mapped_column(server_default=now())
