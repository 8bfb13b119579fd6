"""What the team knows: pages, cut into passages, and the words that passages are found by."""

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Instant, now


class KnowledgeFolder(Base):
    """A folder as a policy names it, with what was in it when it was last synced."""

    __tablename__ = "knowledge_folders"

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    version: Mapped[str]
    """Half of SHA-256 over its pages' names and versions: the same pages, the same version."""
    passages: Mapped[int]
    chars: Mapped[int]
    """Of all passages together."""
    synced_at: Mapped[Instant] = mapped_column(server_default=now())


class KnowledgePage(Base):
    """A page by content. What changes is written anew under the same name."""

    __tablename__ = "knowledge_pages"

    folder_id: Mapped[int] = mapped_column(ForeignKey("knowledge_folders.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    path: Mapped[str]
    """Where it lies in its folder, or its address."""
    title: Mapped[str]
    language: Mapped[str | None]
    changed_at: Mapped[Instant] = mapped_column(server_default=now())


class KnowledgePassage(Base):
    """A section of a page, under an id that lasts."""

    __tablename__ = "knowledge_passages"
    __table_args__ = (
        Index("ix_knowledge_passages_folder_id_page", "folder_id", "page"),
        Index("ix_knowledge_passages_name", "name"),
    )

    id: Mapped[BigId] = mapped_column(Identity(always=True), primary_key=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("knowledge_folders.id"))
    page: Mapped[str]
    name: Mapped[str]
    place: Mapped[int]
    """From 0, in the order of the page."""
    heading: Mapped[str]
    text: Mapped[str]
    language: Mapped[str | None]
    version: Mapped[str]
    """Of its page."""


class KnowledgePosting(Base):
    """How much a word says of a passage: BM25's share that does not depend on other passages."""

    __tablename__ = "knowledge_postings"
    __table_args__ = (Index("ix_knowledge_postings_passage_id", "passage_id"),)

    folder_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(primary_key=True)
    passage_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    weight: Mapped[float]


class KnowledgeWord(Base):
    """In how many passages of a folder a word stands: the rarer, the more it tells."""

    __tablename__ = "knowledge_words"

    folder_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(primary_key=True)
    passages: Mapped[int]
