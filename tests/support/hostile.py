"""A database whose every word from outside is hostile, and every command with its usual arguments:
what is new, of either, is among them by itself."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from models.tables import Base
from worker.cli.main import cli

EVIL = "a[/x][link=https://evil.example]b[/link]\x1b]0;PWN\x07\x9b31m\u202e\x1b[2Jé€"
OURS = frozenset(
    {
        *("tier", "model", "queue", "state", "lane", "stage", "purpose", "outcome", "decision"),
        *("policy_name", "policy_version", "prompt_version", "schema_version", "effort", "key"),
        *("from_tier", "to_tier", "scope", "kind", "grader", "claim", "worker", "verdict", "salt"),
        *("http_status", "service_tier", "stop_reason", "external_id", "name", "breaker"),
        "on_failure",
    }
)
"""Columns whose words are ours: names in the configuration, states, versions, keys."""
GIVEN = {
    "run": "1",
    "run_a": "1",
    "run_b": "2",
    "runs": "1",
    "job": "1",
    "sources": "1",
    "number": "1",
    "target": "1",
    "where": EVIL,
    "folders": EVIL,
    "version": EVIL,
    "message": EVIL,
    "words": EVIL,
    "name": EVIL,
    "reason": EVIL,
    "to": "5",
    "age": "1d",
}
"""What a command's arguments and required options are given, by their names."""
FILES = ("files", "file")


def hostile_rows(connection: Connection) -> set[str]:
    """Gives each empty table a row, and puts hostile words wherever words from outside stand.
    Returns the names of the tables that are still empty."""
    for table in Base.metadata.sorted_tables:
        if not connection.execute(select(table).limit(1)).first():
            _try(connection, insert(table).values(_row(connection, table)))
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Text) and column.name not in OURS and not column.primary_key:
                _try(connection, text(f"UPDATE {table.name} SET {column.name} = :evil"))
    empty = (t for t in Base.metadata.sorted_tables if not connection.scalar(_any_of(t)))
    return {table.name for table in empty}


def _any_of(table: Table) -> Any:
    return select(text("1")).select_from(table).limit(1)


def _try(connection: Connection, statement: Any) -> None:
    """Words that a column may not hold are not put into it."""
    try:
        with connection.begin_nested():
            connection.execute(statement, {"evil": EVIL} if hasattr(statement, "text") else {})
    except DBAPIError:
        pass


def _row(connection: Connection, table: Table) -> dict[str, Any]:
    checks = [str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)]
    return {
        column.name: _value(connection, column, checks)
        for column in table.columns
        if not (column.server_default or column.nullable or column.computed or column.identity)
    }


def _value(connection: Connection, column: Column[Any], checks: list[str]) -> Any:
    for key in column.foreign_keys:
        return connection.scalar(select(key.column).limit(1))
    if column.name in ("job_id", "run_id", "fence"):
        return 1
    if column.name == "on_failure":
        return "wait"
    for check in checks:
        if found := re.match(rf"{column.name} IN \('([^']+)'", check):
            return found[1]
    if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Float):
        return [0.5]
    for kind, value in (
        (Text, EVIL),
        (JSONB, {"evil": EVIL}),
        (ARRAY, [EVIL]),
        (Boolean, False),
        (LargeBinary, b"evil"),
        (Date, dt.date(2026, 11, 26)),
        (DateTime, dt.datetime(2026, 11, 26, tzinfo=dt.UTC)),
        ((SmallInteger, Integer, BigInteger), 1),
        ((Numeric, Float), Decimal("0.5")),
    ):
        if isinstance(column.type, kind):
            return value
    raise AssertionError(f"a value for {column}")


def every_command(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[Any]:
    """Each command with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        here = (*path, name)
        if isinstance(command, click.Group):
            yield from every_command(command, here)
            if not command.invoke_without_command:
                continue
        yield here, command


def usual(path: tuple[str, ...], command: click.Command, file: str) -> Iterator[tuple[str, ...]]:
    """Calls of a command that change nothing for good: in words, and as JSON."""
    words = list(path)
    for parameter in command.params:
        name, option = parameter.name or "", isinstance(parameter, click.Option)
        if option and not parameter.required:
            continue
        known = file if name in FILES else GIVEN.get(name)
        assert known is not None, f"rung {' '.join(path)}: give {name!r} a value in GIVEN"
        words += [parameter.opts[0], known] if option else [known]
    options = {opt for parameter in command.params for opt in parameter.opts}
    words += [option for option in ("--dry-run",) if option in options]
    yield tuple(words)
    if "--json" in options:
        yield (*words, "--json")
