"""Indexes over vectors, for folders of many passages: the nearest are found without a look at all.

A sync makes them, where pgvector has the type that holds 4,000 numbers (0.7 and later). There is
one for each folder and embedder, so a search never passes over what stands in other folders, which
would cost it some of its own nearest.
"""

import hashlib
from functools import lru_cache

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

INDEXED_FROM = 300
"""Passages; fewer are all looked at, which is exact, and as quick."""
LOOKED_AT = 100
"""Passages that a search keeps in mind while it follows the index: the more, the surer."""


def index_folder(engine: Engine, folder: str, embedder: str, enough: int = INDEXED_FROM) -> bool:
    """Makes the index of a folder that has enough passages; whether it has one now."""
    values = {"folder": folder, "embedder": embedder, "enough": enough}
    try:
        with engine.begin() as connection:
            many = connection.execute(MANY, values).one_or_none()
            if many is None:
                return False
            values |= {"folder": many.folder_id, "long": many.long}
            made = {"index": _name(many.folder_id, embedder, many.long), **values}
            connection.exec_driver_sql(connection.execute(MAKING, made).scalar_one())
    except DBAPIError:
        return False
    return True


def is_indexed(connection: Connection, folder_id: int, embedder: str, long: int) -> bool:
    """Whether a folder's vectors of this length have an index; readies this transaction for it."""
    values = {"index": _name(folder_id, embedder, long), "looked_at": str(LOOKED_AT)}
    return bool(connection.execute(INDEXED, values).scalar_one())


def _name(folder_id: int, embedder: str, long: int) -> str:
    mark = hashlib.sha256(embedder.encode()).hexdigest()[:8]
    return f"ix_knowledge_near_{folder_id}_{mark}_{long}"


@lru_cache(maxsize=16)
def near_in_index(long: int) -> TextClause:
    """The search for vectors of this length, which the index's type names."""
    return text(NEAR.replace("{long}", str(int(long))))


MANY = text("""
SELECT v.folder_id, cardinality(v.vector) AS long
FROM knowledge_folders AS f JOIN knowledge_vectors AS v ON v.folder_id = f.id
WHERE f.name = :folder AND v.embedder = :embedder AND to_regtype('halfvec') IS NOT NULL
GROUP BY 1, 2 HAVING count(*) >= :enough ORDER BY count(*) DESC LIMIT 1
""")
MAKING = text("""
SELECT format('CREATE INDEX IF NOT EXISTS %I ON knowledge_vectors'
  ' USING hnsw ((CAST(vector AS halfvec(%s))) halfvec_cosine_ops)'
  ' WHERE embedder = %L AND folder_id = %s AND cardinality(vector) = %s',
  CAST(:index AS text), CAST(:long AS int), CAST(:embedder AS text), CAST(:folder AS int),
  CAST(:long AS int))
""")
# A plan for any values could not know which index serves.
INDEXED = text("""
SELECT to_regclass(:index) IS NOT NULL AND set_config('hnsw.ef_search', :looked_at, true) <> ''
  AND set_config('plan_cache_mode', 'force_custom_plan', true) <> ''
""")
# Twice as many as are wanted: of some the passage may be gone, and a sync not through yet.
NEAR = """
WITH asked AS MATERIALIZED (
  SELECT key, CAST(CAST(vector AS text) AS halfvec({long})) AS vector
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(key bigint, vector jsonb)
)
SELECT q.key, n.far, p.id, p.name
FROM asked AS q CROSS JOIN LATERAL (
  SELECT passage_id, CAST(vector AS halfvec({long})) <=> q.vector AS far FROM knowledge_vectors
  WHERE embedder = :embedder AND folder_id = :folder AND cardinality(vector) = {long}
  ORDER BY far LIMIT 2 * :limit) AS n
JOIN knowledge_passages AS p ON p.id = n.passage_id
"""
