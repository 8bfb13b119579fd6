"""A run as a document: what `rung status RUN --json`, the API and the library give of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from worker.store.reading.batches import OpenBatch, batches_of, together
from worker.store.reading.outlook import read_outlooks
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.surrounding import Surrounding
from worker.store.rows import as_document


def run_document(
    connection: Connection,
    run: RunStanding,
    around: Surrounding,
    batches: Sequence[OpenBatch] | None = None,
) -> dict[str, Any]:
    """A run as `rung status RUN --json` and the API give it; `batches` as `batches_of` has them,
    where the caller has read them already."""
    said = around.troubles(connection) if run.finished_at is None else []
    batches = batches_of(connection, run) if batches is None else batches
    (seen,) = read_outlooks(connection, [run], around, batches)
    return {
        **run.as_document(),
        "outlook": seen.as_document(),
        "troubles": said,
        "batches": [*map(as_document, batches)],
        "batches_under_way": together(batches, run).as_document(),
    }
