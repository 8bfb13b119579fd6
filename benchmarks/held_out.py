"""Recall on messages of other kinds than those that the search was first tuned with.

227 of them ship (`held_out_messages.jsonl`), and 445 are of a source that may not: they are
measured where `BACKLOG_10K` names the whole backlog. One half was looked at when the search was
changed for the second time. The other was not: it was measured when all was done, as the pages are
and with the words that they were given from the first half by program, as `rung knowledge words`
finds them in answers on record: by all of it, as where pages are shown whole, and by the messages
that found their page.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine

from benchmarks.distractor_pages import distractors
from benchmarks.held_out_labels import MOST_OF_A_KIND, kind_of, pages_of
from benchmarks.recall import Labelled, recall, search
from worker.domain.page_words import StoredPage
from worker.domain.pages import SourcePage
from worker.store.knowledge import sync_folder
from worker.store.reading.page_words import AnsweredMessage, words_to_add

MESSAGES = Path(__file__).parent / "held_out_messages.jsonl"
HALVES = ("looked at", "not looked at")
ALONE = "alone"
"""A folder of the example's pages and no others."""


def recall_of_others(
    engine: Engine, ours: Sequence[SourcePage], beside: Mapping[str, int]
) -> dict[str, float]:
    """Of each half as the pages are, and of the second with the words of the first in `also`.
    `beside` names the folders that hold our pages, and how many others each has; they are left with
    those words."""
    sync_folder(engine, ALONE, ours)
    found: dict[str, float] = {}
    for name, halves in held_out().items():
        known, asked = (halves[half] for half in HALVES)
        for folder, others in beside.items():
            where = f"recall at 5, {len(ours) + others:,} pages, {name}"
            sync_folder(engine, folder, [*ours, *distractors(others)])
            for half, some in halves.items():
                found[f"{where}, {half} ({len(some)})"] = recall(engine, folder, some)
            learned_from = {
                "the other half": known,
                "those of it that found their page": found_of(engine, folder, known),
            }
            for words, answered in learned_from.items():
                taught = with_words(engine, ours, answered)
                sync_folder(engine, folder, [*taught, *distractors(others)])
                again = recall(engine, folder, asked)
                found[f"{where}, {HALVES[1]}, with words of {words}"] = again
    return {name: round(share, 3) for name, share in found.items()}


def found_of(engine: Engine, folder: str, messages: Sequence[Labelled]) -> list[Labelled]:
    """The messages that find a page which answers them, with those that they find: what answers on
    record can name where pages are searched."""
    found = search(engine, folder, [body for body, _ in messages])
    named = (
        (body, tuple(page for page in pages if page in {one.page for one in found[key]}))
        for key, (body, pages) in enumerate(messages)
    )
    return [(body, pages) for body, pages in named if pages]


def with_words(
    engine: Engine, ours: Sequence[SourcePage], answered: Sequence[Labelled]
) -> list[SourcePage]:
    """Our pages with what messages show to be lacking."""
    messages = [
        AnsweredMessage(body, "en", frozenset(StoredPage(ALONE, page) for page in pages))
        for body, pages in answered
    ]
    with engine.connect() as connection:
        found = words_to_add(connection, messages)
    return [
        replace(page, also=" ".join([page.also, *(one.word for one in lacking)]))
        for page in ours
        for lacking in (found.get(StoredPage(ALONE, page.name), []),)
    ]


def held_out() -> dict[str, dict[str, list[Labelled]]]:
    """Messages that the search was not tuned with at first, and the pages that answer them: by what
    they are, and by the half that they are in."""
    ships = [*map(orjson.loads, MESSAGES.read_bytes().splitlines())]
    sets = {"held out": ships}
    if whole := os.environ.get("BACKLOG_10K"):
        sets["held out, with those that may not ship"] = [*ships, *_first_of_each(whole)]
    return {
        name: {
            half: [
                (row["body"], pages_of(row))
                for row in rows
                if pages_of(row) and half_of(row["body"]) == half
            ]
            for half in HALVES
        }
        for name, rows in sets.items()
    }


def half_of(body: str) -> str:
    """Which half a message is in: by a digest, so that nobody chose."""
    return HALVES[hashlib.sha256(body.encode()).digest()[0] & 1]


def _first_of_each(path: str) -> Iterator[dict[str, Any]]:
    """Of the whole backlog those of the source that may not ship, some of each kind."""
    seen = Counter[str]()
    for line in Path(path).read_bytes().splitlines():
        row = orjson.loads(line)
        if row["source"] == "bitext_cs_sample" and pages_of(row):
            seen[kind_of(row)] += 1
            if seen[kind_of(row)] <= MOST_OF_A_KIND:
                yield row
