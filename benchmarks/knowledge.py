"""Whether the right page is found, how fast, and what knowledge costs whole and searched.

    python -m benchmarks knowledge [--quick]

Messages are those of the sample backlog whose intent is answered by a page of the example company
(`knowledge_labels` says how they were labelled). Found means: a page that answers is among the five
best passages' pages.

`knowledge_labels` belongs to the messages that the search was tuned with, `held_out` has others.
"""

import time
from pathlib import Path

import orjson
from sqlalchemy import Engine

from benchmarks.distractor_pages import distractors
from benchmarks.figures import Figure, Finding
from benchmarks.held_out import recall_of_others
from benchmarks.knowledge_labels import PAGES_BY_LABEL
from benchmarks.processes import cpu_s
from benchmarks.recall import CHUNK, Labelled, recall
from benchmarks.services import database
from benchmarks.typing_errors import mistyped
from models.vocabulary import Lane
from worker.config.prices import price_of
from worker.domain.knowledge_cost import KnowledgeSize, compare_ways
from worker.intake.pages import read_folder
from worker.store.engine import make_engine
from worker.store.knowledge import sync_folder
from worker.store.passages import PASSAGES_SHOWN, Query, find_passages

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGES = EXAMPLES / "support" / "knowledge"
DISTRACTORS, MANY, QUICK_MANY = 500, 20_000, 2_000
MISTYPED = 0.2
"""Of the words of five letters or more, and one in each message at least."""


def labelled() -> list[Labelled]:
    """Messages with the pages that answer them."""
    rows = map(orjson.loads, (EXAMPLES / "backlog.jsonl").read_bytes().splitlines())
    return [
        (row["body"], PAGES_BY_LABEL[row["source_label"]])
        for row in rows
        if row.get("source_label") in PAGES_BY_LABEL
    ]


def run(*, quick: bool) -> Finding:
    """Recall among 512 pages, and milliseconds a message among 20,000."""
    many = QUICK_MANY if quick else MANY
    messages = labelled()
    with database() as environ:
        engine = make_engine(environ["DATABASE_URL"], pool_size=2)
        ours = read_folder(PAGES).pages
        beside = {"few": DISTRACTORS, "many": many - len(ours)}
        sync_folder(engine, "few", [*ours, *distractors(beside["few"])])
        began = time.monotonic()
        sync_folder(engine, "many", [*ours, *distractors(beside["many"])])
        synced_s = time.monotonic() - began
        found = recall(engine, "few", messages)
        found_many = recall(engine, "many", messages)
        bodies = [body for body, _ in messages]
        wrong = [*mistyped(bodies, MISTYPED)]
        hurried = [(body, pages) for body, (_, pages) in zip(wrong, messages, strict=True)]
        found_wrong = [recall(engine, folder, hurried) for folder in ("few", "many")]
        wrong_ms, _ = each_message(engine, "many", wrong)
        cpu_ms, wall_ms = each_message(engine, "many", bodies)
        others = recall_of_others(engine, ours, beside)
    return Finding(
        "knowledge",
        (
            Figure("recall at 5, 512 pages", found, 0.9, False),
            Figure(f"ms of Postgres a message, {many:,} pages", cpu_ms, 10, True),
        ),
        {
            "messages": len(messages),
            **others,
            f"recall at 5, {many:,} pages": round(found_many, 3),
            "recall at 5, 512 pages, one word in five mistyped": round(found_wrong[0], 3),
            f"recall at 5, {many:,} pages, one word in five mistyped": round(found_wrong[1], 3),
            f"ms of Postgres a message, {many:,} pages, mistyped": round(wrong_ms, 1),
            "ms a message until the answer is there": round(wall_ms, 1),
            f"sync of {many:,} pages (s)": round(synced_s, 1),
            **costs(),
        },
    )


def each_message(engine: Engine, folder: str, bodies: list[str]) -> tuple[float, float]:
    """Milliseconds of the server's CPU for each message, and of waiting; the first chunk is left
    out, for it reads from disk."""
    with engine.connect() as connection:
        server = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        queries = [
            Query(key=key, text=body, folders=(folder,), language="en")
            for key, body in enumerate(bodies)
        ]
        find_passages(connection, queries[:CHUNK], PASSAGES_SHOWN)
        cpu, began = cpu_s(server), time.monotonic()
        for at in range(0, len(queries), CHUNK):
            find_passages(connection, queries[at : at + CHUNK], PASSAGES_SHOWN)
        each = 1000 / len(queries)
        return (cpu_s(server) - cpu) * each, (time.monotonic() - began) * each


def costs() -> dict[str, str]:
    """What pages of the example's length add to a message on Haiku: tokens, and dollars a thousand
    messages when 10,000 are answered in an hour. Arithmetic on list prices."""
    ours = [passage for page in read_folder(PAGES).pages for passage in page.passages()]
    chars = sum(len(passage.text) for passage in ours) // len(ours)
    price = price_of("claude-haiku-5-5", {})
    assert price is not None, "genai-prices knows Haiku"
    table: dict[str, str] = {}
    for pages in (12, 100, 1_000):
        size = KnowledgeSize.of(chars * pages, pages, PASSAGES_SHOWN)
        for lane in (Lane.REALTIME, Lane.BATCH):
            choice = compare_ways(price, size, lane, 10_000, 3_600)
            whole = "does not fit" if choice.whole is None else f"${1000 * choice.whole:.4f}"
            table[f"{pages:,} pages, {lane.value}"] = (
                f"{size.whole:,} tokens whole, {whole}; {size.searched:,} searched,"
                f" ${1000 * choice.searched:.4f}"
            )
    return table
