"""A whole night of real messages through batches in which a good deal goes wrong.

`make test` takes 1,000 messages of the shipped sample; NIGHT_MESSAGES and NIGHT_FILE take others:

    NIGHT_MESSAGES=10000 NIGHT_FILE=backlog.jsonl \\
        python -m pytest -s -k whole_night tests/integration
"""

import itertools
import os
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.checker import Checker
from tests.support.nights import night, night_settings, rounds
from tests.support.places import SAMPLE
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.intake import Record, read_blocks
from worker.sandbox.simulator.state import State
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.run_intake import close_intake
from worker.store.reading.bill import bill_of
from worker.store.runs import find_run

MESSAGES = int(os.environ.get("NIGHT_MESSAGES", "1000"))
FILE = Path(os.environ.get("NIGHT_FILE", SAMPLE))
MOODS = (
    {"match": {"purpose": "create", "first": 2}, "do": {"create": "drop"}},
    {
        "match": {"purpose": "answer", "probability": 0.01},
        "do": {"batch": "errored", "status": 400},
    },
    {"match": {"probability": 0.03}, "do": {"batch": "expired"}},
    {"match": {"probability": 0.05}, "do": {"batch": "errored", "status": 529}},
    {"match": {"probability": 0.06}, "do": {"batch": "errored", "status": 500}},
)
"""Each request draws once, so a probability holds for all that come before it as well."""
KNOWN = text("SELECT count(DISTINCT external_id) FROM message_batches")
ITEMS = text("SELECT job_id || '-' || fence || '-' || purpose FROM calls WHERE state = 'done'")
STATES = text("SELECT state, count(*) FROM jobs GROUP BY 1 ORDER BY 1")
FRUITLESS = text("""
SELECT reasons[1], count(*) FROM attempts
WHERE batch_id IS NOT NULL AND outcome IN ('deferred', 'failed') GROUP BY 1 ORDER BY 2 DESC
""")


def backlog() -> Iterator[Record]:
    """The file over and over, each message under an id of its own."""
    for turn in itertools.count():
        with FILE.open("rb") as stream:
            for block in read_blocks(str(FILE), stream):
                for record in block.records:
                    yield Record(
                        line=record.line,
                        external_id=f"{turn}-{record.external_id}",
                        body=record.body,
                        subject=record.subject,
                        channel=record.channel,
                        language=record.language,
                    )


def hand_in(engine: Engine, settings: Settings) -> None:
    """The night's run, in groups as intake makes them."""
    records = itertools.islice(backlog(), MESSAGES)
    with engine.begin() as connection:
        run = create_run(
            connection,
            NewRun(name="night", policy=policy_named(settings, "ladder"), lane=Lane.BATCH),
        )
        while block := list(itertools.islice(records, 1_000)):
            add_in(connection, run, packed_rows(block, None), False, 0)
        close_intake(connection, run, 0, 0)


def counted(engine: Engine, statement: Any) -> dict[str, int]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(statement)}


@pytest.mark.slow
def test_a_night_in_which_much_goes_wrong_ends_every_job_at_half_price(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: results come shuffled, some items expire or fail, two creates lose their replies
    state = simulator[0]
    state.moods.replace(MOODS)
    size = max(MESSAGES // 10, 50)
    settings = night_settings(
        database_url, simulator[1], batch={"slice": size, "adopt_after_s": 3_600}
    )
    began = time.monotonic()
    with night(settings) as (runtime, lane):
        hand_in(engine, settings)
        # when
        rounds(runtime, lane, at_most=200)

    # then: every job has ended, the wrong requests as dead letters
    ended = counted(engine, STATES)
    assert sum(ended.values()) == MESSAGES
    assert set(ended) <= {"answered", "review", "dead"}
    failed = counted(engine, FRUITLESS)
    assert ended.get("dead", 0) >= failed["invalid_request_error"] > 0
    assert failed["batch item expired"] > 0
    assert ended["answered"] > 0.8 * MESSAGES

    # then: nothing went at full price, and Claude made each item once; each is in the ledger, once
    assert state.counts.by_path["/v1/messages"] == 0
    with engine.connect() as connection:
        done = list(connection.execute(ITEMS).scalars())
        known = connection.execute(KNOWN).scalar_one()
        bill = bill_of(connection, find_run(connection, "night"), settings)
    assert set(state.counts.batch_items.values()) == {1}
    assert sorted(done) == sorted(state.counts.batch_items)
    assert known == len(state.batches), "an orphan was not adopted"

    # then: the bill is half of what the realtime lane would have cost, and of nothing else
    assert bill.batch_saved == bill.total > 0
    assert {line.lane for line in bill.lines} == {Lane.BATCH}
    Checker().require(engine)
    _say(ended, failed, bill.total, len(state.batches), began)


def _say(
    ended: dict[str, int], lost: dict[str, int], usd: Decimal, batches: int, began: float
) -> None:
    """The figures, for `pytest -s`."""
    took = time.monotonic() - began
    sys.stdout.write(
        f"\n{MESSAGES:,} messages in {took:.0f} s: {ended}, ${usd:.2f} in {batches} batches;"
        f" items that brought nothing and cost nothing: {lost}\n"
    )
