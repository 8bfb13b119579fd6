"""Finds the passages that a message is about: BM25 over stems, for a whole chunk in one statement.

A message's rarest words are looked up, each in the passages of which it says most: where it stands
in more, it would add nothing there but time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from worker.domain.knowledge_cost import KnowledgeSize
from worker.domain.usual_words import USUAL_WORDS
from worker.store.rows import as_json

DICTIONARIES: Mapping[str, str] = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "it": "italian", "nl": "dutch", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
"""Postgres' names of the languages whose words it can reduce to their stems."""
PASSAGES_SHOWN = 5
"""To each message. docs/knowledge.md says how often a page that answers it is among them."""
SAID_CHARS = 4_000
"""Of a message, from its beginning."""
MAX_WORDS, PASSAGES_OF_A_WORD = 10, 200
MISSPELT_COUNTS, USUAL_COUNTS = 0.5, 0.5
"""How much a word counts that is only taken for one of the pages', and one with which people ask
whatever they ask about: rare on pages, it would tell more than it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for: a message's words, in its language where that is known, in folders."""

    key: int
    text: str
    folders: tuple[str, ...]
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPassage:
    """A passage with its score; the higher, the more of the query's rare words it holds."""

    name: str
    page: str
    title: str
    heading: str
    text: str
    language: str | None
    version: str
    folder: str
    score: float


LIMITS: Mapping[str, Any] = {"words": MAX_WORDS, "each": PASSAGES_OF_A_WORD,
    "misspelt": MISSPELT_COUNTS, "usual": USUAL_WORDS, "usually": USUAL_COUNTS}  # fmt: skip
COLUMNS = tuple(one.name for one in dataclass_fields(FoundPassage))
"""In the order in which the search gives them."""


def dictionary_of(language: str | None) -> str:
    """The text search configuration for a language; `simple` takes words as they are."""
    return DICTIONARIES.get(language or "", "simple")


class SyncedFolder(NamedTuple):
    """A folder that was synced: its version, how much it holds, how much of it a message is
    shown."""

    version: str
    size: KnowledgeSize


def stored_folders(connection: Connection) -> dict[str, SyncedFolder]:
    """Every folder that was synced, by its name."""
    return {
        row.name: SyncedFolder(
            row.version, KnowledgeSize.of(row.chars, row.passages, PASSAGES_SHOWN)
        )
        for row in connection.execute(FOLDERS)
    }


def passages_of(connection: Connection, folders: Sequence[str]) -> list[FoundPassage]:
    """Every passage of folders, in their order and in that of the pages."""
    rows = connection.execute(WHOLE, {"folders": list(folders)})
    return [FoundPassage(**row._mapping) for row in rows]


def passages_named(
    connection: Connection, folders: Sequence[str], names: Sequence[str]
) -> dict[str, FoundPassage]:
    """Passages of folders by their ids; of two folders that have the same, the first one's."""
    values = {"folders": list(folders), "names": list(names)}
    found: dict[str, FoundPassage] = {}
    for key, *fields in connection.execute(NAMED, values).all():
        found.setdefault(key, FoundPassage(**dict(zip(COLUMNS, fields, strict=True))))
    return found


def find_passages(
    connection: Connection, queries: Sequence[Query], limit: int = 5
) -> dict[int, list[FoundPassage]]:
    """The best passages for each query, best first; fewer where fewer share a word with it."""
    found: dict[int, list[FoundPassage]] = {query.key: [] for query in queries}
    if not queries:
        return found
    for key, *fields in connection.execute(SEARCH, _asked(queries, limit)).all():
        found[key].append(FoundPassage(**dict(zip(COLUMNS, fields, strict=True))))
    return found


def _asked(queries: Sequence[Query], limit: int) -> dict[str, Any]:
    rows = [
        {
            "key": query.key,
            "said": query.text[:SAID_CHARS],
            "folders": query.folders,
            "dictionary": dictionary_of(query.language) if query.language else None,
        }
        for query in queries
    ]
    return {"rows": as_json(rows), "limit": limit, **LIMITS}


FOLDERS = text("SELECT name, version, passages, chars FROM knowledge_folders ORDER BY name")
WHOLE = text("""
SELECT p.name, p.page, g.title, p.heading, p.text,
  p.language, p.version, f.name AS folder, 0.0::float8 AS score
FROM unnest(CAST(:folders AS text[])) WITH ORDINALITY AS place_of(folder, nth)
JOIN knowledge_folders AS f ON f.name = place_of.folder
JOIN knowledge_passages AS p ON p.folder_id = f.id
JOIN knowledge_pages AS g ON g.folder_id = p.folder_id AND g.name = p.page
ORDER BY place_of.nth, p.page, p.place
""")
NAMED = text("""
SELECT p.name AS key, p.name, p.page, g.title, p.heading, p.text, p.language, p.version,
  f.name AS folder, 0.0::float8 AS score
FROM unnest(CAST(:folders AS text[])) WITH ORDINALITY AS place_of(folder, nth)
JOIN knowledge_folders AS f ON f.name = place_of.folder
CROSS JOIN LATERAL (
  SELECT * FROM knowledge_passages WHERE folder_id = f.id AND name = ANY(:names) OFFSET 0) AS p
JOIN knowledge_pages AS g ON g.folder_id = p.folder_id AND g.name = p.page
ORDER BY place_of.nth
""")
USUAL = """
usual AS MATERIALIZED (
  SELECT d.dictionary, l.word FROM (SELECT DISTINCT dictionary FROM asked) AS d
  CROSS JOIN LATERAL unnest(
    tsvector_to_array(to_tsvector(CAST(d.dictionary AS regconfig), :usual))) AS l(word)
)
"""
"""The usual words, by the dictionaries of what is `asked`."""
BEST_OF_FOLDER = """
    SELECT p.passage_id, sum(p.weight * w.rarity) AS score FROM (
      SELECT k.word,
        ln(1 + (a.passages - k.passages + 0.5::float8) / (k.passages + 0.5::float8)) * k.counts
          * CASE WHEN (a.dictionary, k.word) IN (SELECT dictionary, word FROM usual)
            THEN CAST(:usually AS float8) ELSE 1 END AS rarity
      FROM unnest(tsvector_to_array(to_tsvector(CAST(a.dictionary AS regconfig), a.said)))
        AS l(word)
      LEFT JOIN LATERAL (
        SELECT word, passages FROM knowledge_words
        WHERE folder_id = a.folder_id AND word = l.word OFFSET 0) AS exact ON true
      LEFT JOIN LATERAL (
        SELECT n.word, n.passages FROM (
          SELECT l.word AS part, 0 AS place
          UNION ALL
          SELECT overlay(l.word PLACING '' FROM place FOR 1), place
          FROM generate_series(2, length(l.word)) AS place) AS q
        CROSS JOIN LATERAL (
          SELECT s.word, s.place, w.passages FROM knowledge_spellings AS s
          CROSS JOIN LATERAL (
            SELECT passages FROM knowledge_words
            WHERE folder_id = a.folder_id AND word = s.word OFFSET 0) AS w
          WHERE s.folder_id = a.folder_id AND s.part = q.part OFFSET 0) AS n
        WHERE exact.word IS NULL AND length(l.word) BETWEEN 5 AND 24 AND l.word !~ '[0-9]'
          AND (0 IN (q.place, n.place) OR q.place = n.place
            OR (abs(q.place - n.place) = 1
              AND substr(l.word, q.place, 1) = substr(n.word, n.place, 1)))
        ORDER BY n.passages DESC, n.word LIMIT 1) AS near ON true
      CROSS JOIN LATERAL (
        SELECT coalesce(exact.word, near.word) AS word,
          coalesce(exact.passages, near.passages) AS passages,
          CASE WHEN exact.word IS NULL THEN CAST(:misspelt AS float8) ELSE 1 END AS counts) AS k
      WHERE k.word IS NOT NULL ORDER BY rarity DESC, k.word LIMIT :words
    ) AS w
    CROSS JOIN LATERAL (
      SELECT passage_id, weight FROM knowledge_postings
      WHERE folder_id = a.folder_id AND word = w.word
      ORDER BY weight DESC, passage_id DESC LIMIT :each) AS p
    GROUP BY p.passage_id ORDER BY score DESC, p.passage_id LIMIT :limit
"""
"""The best passages of one folder for `a`: its `folder_id` and number of `passages`, and what is
`said`, whose stems are those of a `dictionary`; beside the `USUAL` words."""
_ASKED = """
WITH asked AS MATERIALIZED (
  SELECT t.key, t.said, f.id AS folder_id, f.name AS folder, f.passages,
    coalesce(t.dictionary, 'english') AS dictionary
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    key bigint, said text, folders jsonb, dictionary text)
  CROSS JOIN LATERAL (
    SELECT id, name, passages FROM knowledge_folders
    WHERE name IN (SELECT jsonb_array_elements_text(t.folders)) OFFSET 0) AS f
),
"""
_SCORED = """
, scored AS (
  SELECT a.key, a.folder, best.passage_id, best.score FROM asked AS a
  CROSS JOIN LATERAL (
"""
_IN_FULL = """
  ) AS best
)
SELECT s.key, p.name, p.page, g.title, p.heading, p.text, p.language, p.version, s.folder, s.score
FROM (
  SELECT *, row_number() OVER (PARTITION BY key ORDER BY score DESC, passage_id) AS nth FROM scored
) AS s
CROSS JOIN LATERAL (
  SELECT * FROM knowledge_passages WHERE id = s.passage_id OFFSET 0) AS p
CROSS JOIN LATERAL (
  SELECT title FROM knowledge_pages
  WHERE folder_id = p.folder_id AND name = p.page OFFSET 0) AS g
WHERE s.nth <= :limit ORDER BY s.key, s.nth
"""
SEARCH = text(_ASKED + USUAL + _SCORED + BEST_OF_FOLDER + _IN_FULL)
