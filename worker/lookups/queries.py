"""Queries of look-ups, tried before anything runs: a table or a column that is not there, or a
record that would not say whose it is, would keep every message that asks."""

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from worker.config.lookups import LookupSettings
from worker.domain.wording import did_you_mean
from worker.errors import RungError
from worker.store.own_queries import OwnQuery


def query_complaint(name: str, lookup: LookupSettings) -> str | None:
    """What is wrong with its query, asked for a row that has nothing; None where nothing is, or
    there is no query."""
    if lookup.query is None or lookup.database_url is None:
        return None
    try:
        asked = OwnQuery(lookup.database_url.get_secret_value(), lookup.query, lookup.timeout_s)
        try:
            found = asked.columns(lookup.columns)
        finally:
            asked.close()
    except (SQLAlchemyError, sqlite3.Error, RungError) as error:
        return f"lookups.{name}.query cannot be asked: {_first_line(error)}."
    for column in lookup.match:
        if column not in found:
            return (
                f"lookups.{name}.query brings no column {column}, and match asks each record for"
                " it, so nothing that it brings would be shown; select it as well, or set"
                f" match{did_you_mean(column, found)}"
            )
    return None


def _first_line(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).strip()
    return said.partition("\n")[0].rstrip(".")
