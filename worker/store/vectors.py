"""Passages by meaning: what embedders made of them, and the nearest to a message, by pgvector.

The numbers are kept in a plain table; only the search needs the extension. It looks at each passage
of a folder, which is exact; a folder of many has an index (`vector_indexes`), asked by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from worker.store.rows import as_json
from worker.store.vector_indexes import index_folder, is_indexed, near_in_index

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
    indexed: bool


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
            {"id": row.id, "folder_id": row.folder_id, "digest": row.digest, "vector": vector}
            for row, vector in zip(part, vectors, strict=True)
        ]
        with engine.begin() as connection:
            connection.execute(KEEP, {"rows": as_json(rows), "embedder": embedder})
    with engine.begin() as connection:
        connection.execute(FORGET_GONE, {"embedder": embedder})
        passages, _ = seen_of(connection, folder, embedder)
    indexed = index_folder(engine, folder, embedder)
    return Embedded(passages=passages, asked=len(unseen), indexed=indexed)


def seen_of(connection: Connection, folder: str, embedder: str) -> tuple[int, int]:
    """How many passages of a folder an embedder has seen, and of how many."""
    seen, passages = connection.execute(COUNT, {"folder": folder, "embedder": embedder}).one()
    return seen, passages


def nearest(
    connection: Connection, embedder: str, asked: Sequence[Near], limit: int
) -> dict[int, list[str]]:
    """The ids of the nearest passages to each, nearest first; vectors of another length than the
    message's are passed over."""
    found: dict[int, list[tuple[float, int, str]]] = {one.key: [] for one in asked}
    folders = sorted({name for one in asked for name in one.folders})
    for row in connection.execute(FOLDERS, {"names": folders}).all():
        its = [one for one in asked if row.name in one.folders]
        rows = as_json({"key": one.key, "vector": one.vector} for one in its)
        values = {"rows": rows, "embedder": embedder, "limit": limit, "folder": row.id}
        long = len(its[0].vector)
        indexed = is_indexed(connection, row.id, embedder, long)
        statement = near_in_index(long) if indexed else NEAREST
        for key, far, passage, name in connection.execute(statement, values).all():
            found[key].append((far, passage, name))
    return {key: [name for *_, name in sorted(near)[:limit]] for key, near in found.items()}


HAS_VECTOR = text("SELECT to_regtype('vector') IS NOT NULL")
AVAILABLE = text("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')")
INSTALL = text(EXTENSION)
_OF_FOLDER = """
SELECT p.id, p.folder_id, p.heading || E'\\n' || p.text AS said,
  encode(sha256(convert_to(p.heading || E'\\n' || p.text, 'UTF8')), 'hex') AS digest
FROM knowledge_folders AS f JOIN knowledge_passages AS p ON p.folder_id = f.id
WHERE f.name = :folder AND NOT EXISTS (
  SELECT FROM knowledge_vectors WHERE embedder = :embedder AND passage_id = p.id)
"""
_FROM_OTHERS = """
INSERT INTO knowledge_vectors (embedder, digest, passage_id, vector, folder_id)
SELECT :embedder, new.digest, new.id, known.vector, new.folder_id FROM (
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
INSERT INTO knowledge_vectors (embedder, digest, passage_id, vector, folder_id)
SELECT :embedder, digest, id, ARRAY(SELECT jsonb_array_elements_text(vector)::real), folder_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  id bigint, folder_id int, digest text, vector jsonb)
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
FOLDERS = text("SELECT id, name FROM knowledge_folders WHERE name = ANY(:names) ORDER BY id")
# A message's vector is read once, and not for each passage.
NEAREST = text("""
WITH asked AS MATERIALIZED (
  SELECT key, jsonb_array_length(vector) AS long, CAST(CAST(vector AS text) AS vector) AS vector
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(key bigint, vector jsonb)
)
SELECT q.key, n.far, n.id, n.name
FROM asked AS q CROSS JOIN LATERAL (
  SELECT p.id, p.name, CAST(v.vector AS vector) <=> q.vector AS far
  FROM knowledge_passages AS p
  JOIN knowledge_vectors AS v ON v.passage_id = p.id AND v.embedder = :embedder
  WHERE p.folder_id = :folder AND cardinality(v.vector) = q.long
  ORDER BY far, p.id LIMIT :limit) AS n
""")
