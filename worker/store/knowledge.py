"""Knowledge into Postgres: what changed of a folder is written anew, in one transaction.

Promises: a search sees the folder as it was or as it is, never half; the same pages again write
nothing but the time; a passage's id lasts as long as its page and heading do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

from worker.domain.pages import SourcePage, version_of_pages
from worker.store.passages import dictionary_of
from worker.store.rows import as_json

PAGES_AT_ONCE = 500
AVERAGE_WORDS = 120
"""Words of a passage of middling length, as BM25 wants to know it. Fixed, so that a page that
changes does not change what is known of all others. Its length counts for little (b = 0.15): long
sections are cut, so that a passage is long where it says much and not where it says it twice."""
HEADING_COUNTS = 3
"""A word of the heading, or of the title of its page, counts for so many in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What a sync did to a folder, in pages."""

    folder: str
    version: str
    pages: int
    passages: int
    added: int
    changed: int
    removed: int


def sync_folder(engine: Engine, folder: str, pages: Sequence[SourcePage]) -> Synced:
    """Makes what is stored of a folder what its pages are now."""
    version = version_of_pages((page.name, page.version) for page in pages)
    with engine.begin() as connection:
        folder_id = connection.execute(FOLDER, {"name": folder}).scalar_one()
        known = {
            row.name: row.version for row in connection.execute(VERSIONS, {"folder": folder_id})
        }
        now = {page.name for page in pages}
        gone = [name for name in known if name not in now]
        fresh = [page for page in pages if known.get(page.name) != page.version]
        _remove(connection, folder_id, [*gone, *(page.name for page in fresh)], gone)
        for at in range(0, len(fresh), PAGES_AT_ONCE):
            _write(connection, folder_id, fresh[at : at + PAGES_AT_ONCE])
        if fresh or gone:
            connection.execute(COUNT_WORDS, {"folder": folder_id})
            spell_words(connection, folder_id)
        values = {"folder": folder_id, "version": version}
        passages = connection.execute(SUM_UP, values).scalar_one()
    if fresh:
        _look_over(engine)
    added = sum(page.name not in known for page in fresh)
    return Synced(
        folder=folder,
        version=version,
        pages=len(pages),
        passages=passages,
        added=added,
        changed=len(fresh) - added,
        removed=len(gone),
    )


def spell_words(connection: Connection, folder_id: int) -> None:
    """Writes down how the words of a folder may be misspelt."""
    connection.execute(FORGET_SPELLINGS, {"folder": folder_id})
    connection.execute(SPELL, {"folder": folder_id})


def _remove(
    connection: Connection, folder_id: int, rewritten: Sequence[str], gone: Iterable[str]
) -> None:
    if rewritten:
        connection.execute(DELETE_PASSAGES, {"folder": folder_id, "pages": list(rewritten)})
        connection.execute(DELETE_PAGES, {"folder": folder_id, "pages": list(gone)})


def _write(connection: Connection, folder_id: int, pages: Sequence[SourcePage]) -> None:
    rows: list[dict[str, Any]] = []
    for page in pages:
        rows += [
            {
                "page": page.name,
                "name": passage.id,
                "place": place,
                "heading": passage.heading,
                "title": f"{page.title} {page.also}",
                "text": passage.text,
                "language": page.language,
                "version": page.version,
                "dictionary": dictionary_of(page.language),
            }
            for place, passage in enumerate(page.passages())
        ]
    listed = [
        {
            "name": page.name,
            "version": page.version,
            "path": page.path,
            "title": page.title,
            "language": page.language,
        }
        for page in pages
    ]
    connection.execute(WRITE_PAGES, {"folder": folder_id, "rows": as_json(listed)})
    connection.execute(
        WRITE_PASSAGES,
        {
            "folder": folder_id,
            "rows": as_json(rows),
            "heading": HEADING_COUNTS,
            "average": AVERAGE_WORDS,
        },
    )


def _look_over(engine: Engine) -> None:
    """Fresh statistics: what was empty a moment ago would be searched as if it were."""
    with engine.begin() as connection:
        for statement in (ANALYZE_POSTINGS, ANALYZE_WORDS, ANALYZE_PASSAGES, ANALYZE_SPELLINGS):
            connection.execute(statement)


ANALYZE_POSTINGS = text("ANALYZE knowledge_postings")
ANALYZE_WORDS = text("ANALYZE knowledge_words")
ANALYZE_PASSAGES = text("ANALYZE knowledge_passages")
ANALYZE_SPELLINGS = text("ANALYZE knowledge_spellings")
FORGET_SPELLINGS = text("""
DELETE FROM knowledge_spellings AS s WHERE folder_id = :folder AND NOT EXISTS (
  SELECT FROM knowledge_words WHERE folder_id = :folder AND word = s.word)
""")
SPELL = text("""
INSERT INTO knowledge_spellings (folder_id, part, word, place)
SELECT :folder, part, word, place FROM knowledge_words AS w CROSS JOIN LATERAL (
  SELECT w.word AS part, 0 AS place
  UNION ALL
  SELECT overlay(w.word PLACING '' FROM place FOR 1), place
  FROM generate_series(2, length(w.word)) AS place) AS spelt
WHERE folder_id = :folder AND length(word) BETWEEN 5 AND 24 AND word !~ '[0-9]'
ON CONFLICT DO NOTHING
""")
FOLDER = text("""
INSERT INTO knowledge_folders (name, version, passages, chars) VALUES (:name, '', 0, 0)
ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id
""")
VERSIONS = text("SELECT name, version FROM knowledge_pages WHERE folder_id = :folder")
DELETE_PASSAGES = text("""
WITH gone AS (
  DELETE FROM knowledge_passages WHERE folder_id = :folder AND page = ANY(:pages) RETURNING id)
DELETE FROM knowledge_postings WHERE passage_id IN (SELECT id FROM gone)
""")
DELETE_PAGES = text("DELETE FROM knowledge_pages WHERE folder_id = :folder AND name = ANY(:pages)")
WRITE_PAGES = text("""
INSERT INTO knowledge_pages (folder_id, name, version, path, title, language)
SELECT :folder, name, version, path, title, language
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  name text, version text, path text, title text, language text)
ON CONFLICT (folder_id, name) DO UPDATE SET version = excluded.version, path = excluded.path,
  title = excluded.title, language = excluded.language, changed_at = now()
""")
WRITE_PASSAGES = text("""
WITH given AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    page text, name text, place int, heading text, title text, text text, language text,
    version text, dictionary text)
), written AS (
  INSERT INTO knowledge_passages (folder_id, page, name, place, heading, text, language, version)
  SELECT :folder, page, name, place, heading, text, language, version FROM given
  RETURNING id, name
), counted AS (
  SELECT w.id, l.word, l.times, sum(l.times) OVER (PARTITION BY w.id) AS long
  FROM written AS w JOIN given AS g USING (name)
  CROSS JOIN LATERAL (
    SELECT word, sum(times) AS times FROM (
      SELECT lexeme AS word, cardinality(positions) AS times
      FROM unnest(to_tsvector(CAST(g.dictionary AS regconfig), g.text))
      UNION ALL
      SELECT lexeme, CAST(:heading AS int)
      FROM unnest(to_tsvector(CAST(g.dictionary AS regconfig), g.heading || ' ' || g.title))
    ) AS both_of GROUP BY word) AS l
)
INSERT INTO knowledge_postings (folder_id, word, passage_id, weight)
SELECT :folder, left(word, 200), id,
  max(times * 3.0 / (times + 2.0 * (0.85 + 0.15 * long / CAST(:average AS float8))))
FROM counted GROUP BY left(word, 200), id
""")
COUNT_WORDS = text("""
WITH old AS (DELETE FROM knowledge_words WHERE folder_id = :folder)
INSERT INTO knowledge_words (folder_id, word, passages)
SELECT folder_id, word, count(*) FROM knowledge_postings WHERE folder_id = :folder GROUP BY 1, 2
ON CONFLICT (folder_id, word) DO UPDATE SET passages = excluded.passages
""")
SUM_UP = text("""
UPDATE knowledge_folders SET version = :version, synced_at = now(),
  passages = (SELECT count(*) FROM knowledge_passages WHERE folder_id = :folder),
  chars = (SELECT coalesce(sum(length(text)), 0) FROM knowledge_passages
    WHERE folder_id = :folder)
WHERE id = :folder RETURNING passages
""")
