"""Passages ranked for jobs by what their messages say: where the record has it, so that no message
travels to be searched for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, text

from worker.store.passages import BEST_OF_FOLDER, DICTIONARIES, LIMITS, SAID_CHARS, USUAL

FoldersByRun = Mapping[int, tuple[str, ...]]
"""Whose pages are searched for the messages of a run."""


class ToSearch(NamedTuple):
    """Runs whose messages have their pages searched: the folders, their version together, and in
    `at` what stands for all folders as they were then."""

    folders: FoldersByRun
    versions: Mapping[int, str]
    at: int | None


NOTHING = ToSearch({}, {}, None)


def rank_passages(
    connection: Connection, ids: Sequence[int], folders: FoldersByRun, limit: int
) -> dict[int, str | None]:
    """The best passages for each of these jobs, as `BEST_OF_MESSAGE` gives them."""
    values = {"ids": list(ids), **ranking(folders, limit)}
    return {row.id: row.best for row in connection.execute(RANKED, values)}


def ranking(folders: FoldersByRun, limit: int) -> dict[str, str | int | float]:
    """What a statement with `BEST_OF_MESSAGE` wants to know."""
    packed = orjson.dumps(folders, option=orjson.OPT_NON_STR_KEYS).decode()
    return {"folders": packed, "limit": limit, **_ALWAYS}


def folders_of(runs: FoldersByRun) -> set[str]:
    """All of them."""
    return {name for names in runs.values() for name in names}


_ALWAYS = {"dictionaries": orjson.dumps(dict(DICTIONARIES)).decode(), "chars": SAID_CHARS, **LIMITS}
DICTIONARY = """
CASE WHEN m.language <> '' THEN coalesce(
    CAST(:dictionaries AS jsonb) ->> lower(left(m.language, 2) COLLATE "C"), 'simple')
  ELSE 'english' END AS dictionary
"""
"""Of a message `m`."""
_WORDS = """
  SELECT string_agg(n.passage_id || ':' || v.version, ',' ORDER BY n.nth) AS best FROM (
    SELECT o.passage_id, row_number() OVER (ORDER BY o.score DESC, o.passage_id) AS nth FROM (
      SELECT id AS folder_id, passages, asked.dictionary,
        left(concat_ws(E'\\n\\n', nullif(asked.subject, ''), asked.body), :chars) AS said
      FROM knowledge_folders
      WHERE name IN (
        SELECT jsonb_array_elements_text(CAST(:folders AS jsonb) -> CAST(asked.run_id AS text)))
      OFFSET 0) AS a
    CROSS JOIN LATERAL (
"""
_NAMES = """
    ) AS o
    ORDER BY o.score DESC, o.passage_id LIMIT :limit) AS n
  CROSS JOIN LATERAL (
    SELECT version FROM knowledge_passages WHERE id = n.passage_id OFFSET 0) AS v
"""
BEST_OF_MESSAGE = _WORDS + BEST_OF_FOLDER + _NAMES
"""For a job that is `asked` with its message: numbers of passages with the versions of their pages,
best first, as `number:version,number:version`: in one word, for a claim has hundreds of them. NULL
where nothing is found."""
_JOBS = """
WITH asked AS MATERIALIZED (
  SELECT j.id, j.run_id, m.subject, m.body,
"""
_MESSAGES = """
  FROM jobs AS j CROSS JOIN LATERAL (
    SELECT subject, body, language FROM messages WHERE id = j.message_id OFFSET 0) AS m
  WHERE j.id = ANY(:ids)
),
"""
_EACH = "SELECT asked.id, s.best FROM asked CROSS JOIN LATERAL ("
RANKED = text(_JOBS + DICTIONARY + _MESSAGES + USUAL + _EACH + BEST_OF_MESSAGE + ") AS s")
