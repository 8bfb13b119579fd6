"""What answers on record say about the words that customers use for pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from worker.domain.page_words import AnsweredFrom, LackingWord, StoredPage, lacking_words
from worker.domain.usual_words import USUAL_WORDS
from worker.store.passages import SAID_CHARS, dictionary_of
from worker.store.reading.job_samples import NEIGHBOURS, some_jobs

MOST_ANSWERS = 5_000
"""Evenly spaced, where the runs have more."""
SAID_OFTEN = 1.6
"""The weight of what a passage says three times or has in a heading or in `also`, however long it
is; twice is less, but in a few words."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_USUAL = frozenset(USUAL_WORDS.split())


@dataclass(frozen=True, slots=True)
class AnsweredMessage:
    """What a customer wrote, and the pages that its answer stands on."""

    said: str
    language: str | None
    pages: frozenset[StoredPage]


def answered_messages(
    connection: Connection,
    runs: Sequence[int],
    most: int = MOST_ANSWERS,
    in_a_row: int = NEIGHBOURS,
) -> list[AnsweredMessage]:
    """Messages of runs, of so many jobs at most, whose accepted answer names passages that are
    still there; none that was erased."""
    jobs = some_jobs(connection, runs, most, in_a_row)
    rows = connection.execute(ANSWERED, {"ids": jobs}).all()
    names = sorted({name for row in rows for name in row.sources})
    stands = defaultdict[str, set[StoredPage]](set)
    for row in connection.execute(PAGES_OF, {"names": names}):
        stands[row.name].add(StoredPage(row.folder, row.page))
    found = (
        (row, frozenset(page for name in row.sources for page in stands[name])) for row in rows
    )
    return [AnsweredMessage(row.said, row.language, pages) for row, pages in found if pages]


def words_to_add(
    connection: Connection, answered: Sequence[AnsweredMessage]
) -> dict[StoredPage, list[LackingWord]]:
    """For each page the words that belong into its `also`, as customers write them most often."""
    texts = [(_words(one.said), dictionary_of(one.language or "en")) for one in answered]
    stems = _stems(connection, texts)
    written = defaultdict[str, Counter[str]](Counter)
    counted: list[AnsweredFrom] = []
    for (words, dictionary), one in zip(texts, answered, strict=True):
        for word in words:
            for stem in stems[dictionary, word]:
                written[stem][word] += 1
        known = frozenset(stem for word in words for stem in stems[dictionary, word])
        counted.append(AnsweredFrom(known, one.pages))
    usual = {stem for stem, forms in written.items() if _USUAL & forms.keys()}
    counted = [replace(one, words=one.words - usual) for one in counted]
    pages = {page for one in answered for page in one.pages}
    said = defaultdict[StoredPage, set[str]](set)
    for folder in sorted({page.folder for page in pages}):
        names = sorted(page.name for page in pages if page.folder == folder)
        values = {"folder": folder, "pages": names, "often": SAID_OFTEN}
        for row in connection.execute(SAID, values):
            said[StoredPage(folder, row.page)].add(row.word)
    return {
        page: [replace(one, word=written[one.word].most_common(1)[0][0]) for one in lacking]
        for page, lacking in lacking_words(counted, said).items()
    }


def _words(said: str) -> frozenset[str]:
    return frozenset(_WORD.findall(said[:SAID_CHARS].lower()))


def _stems(
    connection: Connection, texts: Sequence[tuple[frozenset[str], str]]
) -> dict[tuple[str, str], list[str]]:
    """Of each word in each dictionary; none of a stop word."""
    of_dictionary = defaultdict[str, set[str]](set)
    for words, dictionary in texts:
        of_dictionary[dictionary] |= words
    return {
        (dictionary, row.word): row.stems
        for dictionary, words in of_dictionary.items()
        for row in connection.execute(STEMS, {"dictionary": dictionary, "words": sorted(words)})
    }


ANSWERED = text("""
SELECT m.said, m.language, r.sources
FROM (
  SELECT id, message_id FROM jobs WHERE id = ANY(:ids) AND state = 'answered' OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(fields -> 'sources')
    WHEN 'array' THEN fields -> 'sources' ELSE '[]' END)) AS sources
  FROM results WHERE job_id = j.id AND accepted OFFSET 0) AS r
CROSS JOIN LATERAL (
  SELECT coalesce(subject || ' ', '') || body AS said, language FROM messages
  WHERE id = j.message_id AND erased_at IS NULL OFFSET 0) AS m
ORDER BY j.id
""")
PAGES_OF = text("""
SELECT p.name, p.page, f.name AS folder
FROM unnest(CAST(:names AS text[])) AS n(name)
CROSS JOIN LATERAL (
  SELECT name, page, folder_id FROM knowledge_passages WHERE name = n.name OFFSET 0) AS p
JOIN knowledge_folders AS f ON f.id = p.folder_id
""")
SAID = text("""
SELECT p.page, w.word
FROM knowledge_folders AS f
CROSS JOIN LATERAL (
  SELECT id, page FROM knowledge_passages
  WHERE folder_id = f.id AND page = ANY(:pages) OFFSET 0) AS p
CROSS JOIN LATERAL (
  SELECT word FROM knowledge_postings WHERE passage_id = p.id AND weight >= :often OFFSET 0) AS w
WHERE f.name = :folder
""")
STEMS = text("""
SELECT word, tsvector_to_array(to_tsvector(CAST(:dictionary AS regconfig), word)) AS stems
FROM unnest(CAST(:words AS text[])) AS said(word)
""")
