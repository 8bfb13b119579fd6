"""Any backlog file, submitted to a house under any policy; and the options that both take."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from benchmarks.house import BACKLOG, House
from worker.domain.policy import Policy
from worker.intake import Record, read_blocks
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.run_intake import close_intake
from worker.store.runs import RunRef

IN_FLIGHT = {"haiku": 64, "sonnet": 64, "opus": 64}
STAGED_ROWS = 1_000


def records(path: Path | None, limit: int | None) -> Iterator[Record]:
    """The file's messages, or those of the shipped sample; at most `limit`."""
    with (path or BACKLOG).open("rb") as stream:
        blocks = read_blocks(str(path or BACKLOG), stream)
        yield from itertools.islice((r for block in blocks for r in block.records), limit)


def hand_in(home: House, name: str, policy: Policy, messages: Iterator[Record]) -> RunRef:
    """A run of these messages. Labels remembered from earlier runs are forgotten first, and each
    run's messages are its own, so that every run starts alike."""
    with home.engine.begin() as connection:
        connection.execute(text("DELETE FROM classifications"))
        run = create_run(connection, NewRun(name=name, policy=policy))
        while block := list(itertools.islice(messages, STAGED_ROWS)):
            add_in(connection, run, packed_rows(block, name), False, 0)
        close_intake(connection, run, 0, 0)
    return run


def markdown(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table for a document: the first column to the left, all others to the right."""
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])
