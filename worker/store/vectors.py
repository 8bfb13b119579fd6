"""Passages by meaning: what embedders made of them, and the nearest to a message, by pgvector.

The numbers are kept in a plain table; only the search needs the extension. It looks at each passage
of a folder, which is exact, and quick for a few thousand of them (docs/knowledge.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from worker.store.rows import as_json

ASKED_AT_ONCE = 64
"""Texts in one question to an embedder."""
EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector"
Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A message as an embedder sees it, and the folders in which its neighbours are looked for."""

    key: int
    folders: Sequence[str]
    vector: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What a sync did for one embedder, in passages of a folder."""

    passages: int
    asked: int


def has_pgvector(connection: Connection) -> bool:
    """Whether vectors can be compared in this database."""
    return bool(connection.execute(HAS_VECTOR).scalar_one())


def install_pgvector(engine: Engine) -> str | None:
    """Takes the extension into this database, where the server has it and the role may; None when
    it is there, else why it is not."""
    with engine.connect() as connection:
        if has_pgvector(connection):
            return None
        if not connection.execute(AVAILABLE).scalar_one():
            return "pgvector is not installed on the server"
    try:
        with engine.begin() as connection:
            connection.execute(INSTALL)
            if not has_pgvector(connection):
                return "pgvector is in a schema that is not on this role's search_path"
    except DBAPIError:
        return f"this role may not take pgvector into the database (as its owner: {EXTENSION})"
    return None


def embed_folder(engine: Engine, folder: str, embedder: str, embed: Embed) -> Embedded:
    """Has an embedder look at the passages of a folder that it has not seen: words that it has seen
    elsewhere, or before a page was written anew, are not asked again. Raises what `embed` raises;
    what was embedded until then is kept."""
    values = {"folder": folder, "embedder": embedder}
    with engine.begin() as connection:
        connection.execute(KNOWN_WORDS, values)
        unseen = connection.execute(UNSEEN, values).all()
    for at in range(0, len(unseen), ASKED_AT_ONCE):
        part = unseen[at : at + ASKED_AT_ONCE]
        vectors = embed([row.said for row in part])
        rows = [
            {"id": row.id, "digest": row.digest, "vector": vector}
            for row, vector in zip(part, vectors, strict=True)
        ]
        with engine.begin() as connection:
            connection.execute(KEEP, {"rows": as_json(rows), "embedder": embedder})
    with engine.begin() as connection:
        connection.execute(FORGET_GONE, {"embedder": embedder})
        passages, _ = seen_of(connection, folder, embedder)
    return Embedded(passages=passages, asked=len(unseen))


def seen_of(connection: Connection, folder: str, embedder: str) -> tuple[int, int]:
    """How many passages of a folder an embedder has seen, and of how many."""
    seen, passages = connection.execute(COUNT, {"folder": folder, "embedder": embedder}).one()
    return seen, passages


def nearest(
    connection: Connection, embedder: str, asked: Sequence[Near], limit: int
) -> dict[int, list[str]]:
    """The ids of the nearest passages to each, nearest first; vectors of another length than the
    message's are passed over."""
    rows = [{"key": one.key, "folders": one.folders, "vector": [*one.vector]} for one in asked]
    found: dict[int, list[str]] = {one.key: [] for one in asked}
    values = {"rows": as_json(rows), "embedder": embedder, "limit": limit}
    for key, name in connection.execute(NEAREST, values).all():
        found[key].append(name)
    return found


HAS_VECTOR = text("SELECT to_regtype('vector') IS NOT NULL")
AVAILABLE = text("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')")
INSTALL = text(EXTENSION)
_OF_FOLDER = """
SELECT p.id, p.heading || E'\\n' || p.text AS said,
  encode(sha256(convert_to(p.heading || E'\\n' || p.text, 'UTF8')), 'hex') AS digest
FROM knowledge_folders AS f JOIN knowledge_passages AS p ON p.folder_id = f.id
WHERE f.name = :folder AND NOT EXISTS (
  SELECT FROM knowledge_vectors WHERE embedder = :embedder AND passage_id = p.id)
"""
_FROM_OTHERS = """
INSERT INTO knowledge_vectors (embedder, digest, passage_id, vector)
SELECT :embedder, new.digest, new.id, known.vector FROM (
"""
_OF_THE_SAME_WORDS = """
) AS new
CROSS JOIN LATERAL (
  SELECT vector FROM knowledge_vectors
  WHERE embedder = :embedder AND digest = new.digest LIMIT 1) AS known
ON CONFLICT DO NOTHING
"""
KNOWN_WORDS = text(_FROM_OTHERS + _OF_FOLDER + _OF_THE_SAME_WORDS)
UNSEEN = text(_OF_FOLDER + " ORDER BY p.id")
KEEP = text("""
INSERT INTO knowledge_vectors (embedder, digest, passage_id, vector)
SELECT :embedder, digest, id, ARRAY(SELECT jsonb_array_elements_text(vector)::real)
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(id bigint, digest text, vector jsonb)
ON CONFLICT DO NOTHING
""")
FORGET_GONE = text("""
DELETE FROM knowledge_vectors AS v WHERE embedder = :embedder AND NOT EXISTS (
  SELECT FROM knowledge_passages WHERE id = v.passage_id)
""")
COUNT = text("""
SELECT count(v.passage_id) AS seen, count(*) AS passages
FROM knowledge_folders AS f JOIN knowledge_passages AS p ON p.folder_id = f.id
LEFT JOIN knowledge_vectors AS v ON v.passage_id = p.id AND v.embedder = :embedder
WHERE f.name = :folder
""")
# A message's vector is read once, and not for each passage.
NEAREST = text("""
WITH asked AS MATERIALIZED (
  SELECT key, folders, jsonb_array_length(vector) AS long,
    CAST(CAST(vector AS text) AS vector) AS vector
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(key bigint, folders jsonb, vector jsonb)
)
SELECT q.key, n.name
FROM asked AS q CROSS JOIN LATERAL (
  SELECT p.name, CAST(v.vector AS vector) <=> q.vector AS far, p.id
  FROM knowledge_folders AS f JOIN knowledge_passages AS p ON p.folder_id = f.id
  JOIN knowledge_vectors AS v ON v.passage_id = p.id AND v.embedder = :embedder
  WHERE f.name IN (SELECT jsonb_array_elements_text(q.folders))
    AND cardinality(v.vector) = q.long
  ORDER BY far, p.id LIMIT :limit) AS n
ORDER BY q.key, n.far, n.id
""")
