"""Chunks stored two at a time: each whole or not at all, in the order of the file, and counted once
they are committed."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from tests.support.promises import many, one
from worker.domain.backlog import Record
from worker.domain.ladder import Ladder
from worker.domain.presets import preset
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.chunks import LARGE, STORE_ERRORS, Intake
from worker.store.queue.copy_rows import PackedRows, packed_rows
from worker.store.queue.intake import highest_job, reserve

FIELDS = (
    "external_id",
    "body",
    "source",
    "channel",
    "customer_id",
    "subject",
    "language",
    "received_at",
)


@pytest.fixture
def intake(engine: Engine) -> Iterator[Intake]:
    with engine.begin() as connection:
        run = create_run(
            connection, NewRun(name="day", policy=preset("ladder", Ladder(("haiku", "sonnet"))))
        )
        first = highest_job(connection)
    made = Intake(engine=engine, run=run, again=False, first_job=first)
    yield made
    made.close()


def chunk(*ids: str, body: str = "Where is it?") -> PackedRows:
    return stored(
        *(
            Record(line=line, external_id=name, body=f"{body} {name}")
            for line, name in enumerate(ids, 1)
        )
    )


def stored(*records: Record) -> PackedRows:
    return packed_rows(records, None)


def test_what_is_counted_is_committed(engine: Engine, intake: Intake) -> None:
    told = [intake.add(chunk("a", "b")).accepted, intake.add(chunk("c")).accepted]
    committed = one(engine, "SELECT count(*) FROM jobs")[0]
    assert (told[0], told[1]) == (0, 2)
    assert committed >= 2
    assert (intake.settle().accepted, intake.settle().accepted) == (1, 0)
    names = (
        "SELECT external_id FROM messages JOIN jobs ON messages.id = message_id ORDER BY jobs.id"
    )
    assert [row[0] for row in many(engine, names)] == ["a", "b", "c"]


def test_ids_that_were_reserved_ahead_are_used_once_however_long_the_next_chunks_are(
    engine: Engine, intake: Intake
) -> None:
    sizes = (LARGE, LARGE, 10, LARGE + 1, 3)
    for number, rows in enumerate(sizes):
        intake.add(chunk(*(f"{number}-{row:04}" for row in range(rows))))
    intake.settle()
    assert one(engine, "SELECT count(*), count(DISTINCT message_id) FROM jobs") == (
        sum(sizes),
        sum(sizes),
    )
    names = [
        row[0]
        for row in many(
            engine,
            "SELECT external_id FROM messages JOIN jobs ON messages.id = message_id"
            " ORDER BY jobs.id",
        )
    ]
    assert names == sorted(names)


def test_an_id_of_the_chunk_that_is_open_is_repeated(engine: Engine, intake: Intake) -> None:
    intake.add(chunk("a", "b"))
    second = intake.add(chunk("b", "c", body="Another"))
    assert (second.accepted, [r.external_id for r in second.rejects]) == (3, ["b"])
    bodies = "SELECT body FROM messages ORDER BY external_id"
    assert [row[0] for row in many(engine, bodies)] == [
        "Where is it? a",
        "Where is it? b",
        "Another c",
    ]


def test_numbers_that_others_take_in_between_are_left_to_them(engine: Engine) -> None:
    with engine.connect() as connection:
        alone = list(reserve(connection, 2))
        connection.execute(text("ALTER SEQUENCE messages_id_seq INCREMENT BY 2"))
        between = list(reserve(connection, 2))
        connection.rollback()
    assert alone[1] - alone[0] == 1
    assert between[1] - between[0] == 2
    assert between[0] > alone[1]


def test_a_chunk_that_cannot_be_stored_takes_none_with_it(engine: Engine, intake: Intake) -> None:
    intake.add(chunk("a"))
    with pytest.raises(STORE_ERRORS):
        intake.add(chunk("b", body="\x00"))
    assert intake.settle().accepted == 1
    intake.add(chunk("c"))
    assert intake.settle().accepted == 1
    assert one(engine, "SELECT count(*), count(DISTINCT message_id) FROM jobs") == (2, 2)
    assert one(engine, "SELECT count(*) FROM messages") == (2,)


def test_jobs_that_cannot_be_stored_leave_no_messages(engine: Engine, intake: Intake) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs ADD CHECK (message_id < 0) NOT VALID")
    intake.add(chunk("a"))
    with pytest.raises(STORE_ERRORS):
        intake.settle()
    assert intake.settle().accepted == 0
    assert one(engine, "SELECT count(*) FROM messages") == (0,)


def known_by(record: Record) -> bytes:
    said = f"{record.subject or ''}\0{record.body}"
    return hashlib.sha256(said.encode()).digest()[:16]


def test_every_field_is_stored_as_it_was_read(engine: Engine, intake: Intake) -> None:
    odd = "a\tb\\N\n\r\\.\n é 包裹 😀"
    full = Record(
        line=1,
        external_id=odd,
        body=odd,
        source=odd,
        channel=odd,
        customer_id=odd,
        subject=odd,
        language=odd,
        received_at=dt.datetime(
            1969, 7, 20, 20, 17, 40, 123456, dt.timezone(dt.timedelta(hours=2))
        ),
        metadata={odd: [1, None, {"b": 1.5}]},
    )
    bare = Record(line=2, external_id="b", body="B", subject="", source="s")
    kept = (
        "SELECT external_id, body, source, channel, customer_id, subject, language, received_at,"
        " metadata, digest FROM messages ORDER BY id"
    )
    asked = [
        (*(getattr(r, name) for name in FIELDS), r.metadata or {}, known_by(r))
        for r in (full, bare)
    ]

    intake.add(stored(full, bare))
    intake.settle()
    assert [tuple(row) for row in many(engine, kept)] == asked

    intake.add(stored(full, bare))
    intake.add(stored(replace(full, external_id="c"), full))
    intake.settle()
    assert many(engine, kept)[-1][1:] == ("c", *asked[0][1:])[1:]


def test_the_source_that_was_named_wins_over_the_rows(engine: Engine, intake: Intake) -> None:
    record = Record(line=1, external_id="a", body="A", source="of the row")
    intake.add(packed_rows([record], "named"))
    intake.settle()
    assert one(engine, "SELECT source FROM messages") == ("named",)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO jobs (run_id, message_id) SELECT 999999, id FROM messages",
        "UPDATE jobs SET run_id = 999999",
        "DELETE FROM runs",
    ],
)
def test_no_job_is_without_its_run(engine: Engine, intake: Intake, statement: str) -> None:
    """By the key of `run_counts`, which the counting trigger writes in the same statement."""
    intake.add(chunk("a"))
    intake.settle()
    with engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM budgets")
        with pytest.raises(IntegrityError, match="fk_run_counts_run_id_runs"):
            connection.exec_driver_sql(statement)
    assert one(engine, "SELECT count(*) FROM jobs JOIN runs AS r ON r.id = run_id") == (1,)
