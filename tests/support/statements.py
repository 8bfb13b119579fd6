"""The SQL of the product, collected by program: a new statement is tried without being listed."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import TextClause

import worker.store

BIG = (
    *("jobs", "attempts", "calls", "messages", "results", "escalations", "reviews"),
    *("clustered_reviews", "review_clusters", "review_cluster_counts"),
)
"""Tables that grow with what is submitted."""
TABLES = re.compile(rf"\b({'|'.join((*BIG, 'message_batches'))})\b")


def statements() -> Iterator[tuple[str, TextClause]]:
    """Every text of SQL in `worker.store`, by the name that it has there."""
    for found in pkgutil.walk_packages(worker.store.__path__, "worker.store."):
        where = found.name.rpartition(".")[2]
        for name, statement in statements_of(found.name):
            yield f"{where}.{name}", statement


def statements_of(module: str) -> Iterator[tuple[str, TextClause]]:
    """Every text of SQL that a module has, imported or its own, by the name of its constant."""
    for name, value in vars(importlib.import_module(module)).items():
        if name.isupper():
            yield from _named(name, value)


def _named(name: str, value: Any) -> Iterator[tuple[str, TextClause]]:
    if isinstance(value, TextClause):
        yield name, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _named(f"{name}[{key}]", one)


def of_big_tables() -> dict[str, TextClause]:
    """Those that name a table which grows, each once."""
    found: dict[str, TextClause] = {}
    seen = set[int]()
    for name, statement in statements():
        if TABLES.search(statement.text) and id(statement) not in seen:
            seen.add(id(statement))
            found[name] = statement
    return found
