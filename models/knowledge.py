"""What the team knows: pages, cut into passages, and the words that passages are found by."""

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
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
    __table_args__ = (
        # A word's weights in their order: the passages of which it says most are read alone.
        PrimaryKeyConstraint(
            "folder_id", "word", "weight", "passage_id", name="pk_knowledge_postings"
        ),
        Index("ix_knowledge_postings_passage_id", "passage_id"),
    )

    folder_id: Mapped[int]
    word: Mapped[str]
    passage_id: Mapped[int] = mapped_column(BigInteger)
    weight: Mapped[float]


class KnowledgeWord(Base):
    """In how many passages of a folder a word stands: the rarer, the more it tells."""

    __tablename__ = "knowledge_words"

    folder_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(primary_key=True)
    passages: Mapped[int]


class KnowledgeSpelling(Base):
    """A word of a folder under each of its spellings with one letter left out, by which a message
    with a typing error finds it; `place` is that of the letter from 1, and 0 the word as it is."""

    __tablename__ = "knowledge_spellings"

    folder_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    part: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class KnowledgeVector(Base):
    """A passage as an embedder sees it. Plain numbers, so that the table needs no extension: what
    searches them does."""

    __tablename__ = "knowledge_vectors"
    __table_args__ = (Index("ix_knowledge_vectors_passage_id", "passage_id"),)

    embedder: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    """Of the words that were embedded: the same words are asked once."""
    passage_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    vector: Mapped[list[float]] = mapped_column(ARRAY(REAL))
    folder_id: Mapped[int]
    """Its passage's, by which a large folder has an index of its own."""


class RunKnowledge(Base):
    """How a run is shown its pages, decided once for each version of them: whole in the prompt, or
    the passages that each message is about; and the arithmetic that says so."""

    __tablename__ = "run_knowledge"

    run_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(primary_key=True)
    """Of its policy's folders, as attempts have it."""
    whole: Mapped[bool]
    by: Mapped[str]
    """`cost`, `policy` or `certificate`: what decided."""
    shown: Mapped[dict[str, Any] | None]
    """Whole: the version of the page of each passage, by the passage's id."""
    model: Mapped[str]
    lane: Mapped[str]
    messages: Mapped[int]
    tokens_whole: Mapped[int]
    tokens_searched: Mapped[int]
    usd_whole: Mapped[Decimal | None] = mapped_column(Numeric(20, 10))
    """Dollars for each message; null where they do not fit whole."""
    usd_searched: Mapped[Decimal] = mapped_column(Numeric(20, 10))
    decided_at: Mapped[Instant] = mapped_column(server_default=now())
