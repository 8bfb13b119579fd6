"""Receipts as commands and the API give them."""

from typing import Any

from sqlalchemy import Connection

from worker.store.reading import receipts


def receipt(connection: Connection, job_id: int) -> dict[str, Any]:
    """Everything that is known of a job."""
    return receipts.receipt(connection, job_id).as_document()
