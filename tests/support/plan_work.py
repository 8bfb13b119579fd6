"""What a statement's plan did: rows read, rows used, and how long it took."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from tests.support.statements import BIG

STOPPED = "57014"
"""SQLSTATE of a statement that ran into its timeout."""
BELOW = ("ModifyTable", "Aggregate", "LockRows", "Limit", "Unique", "WindowAgg", "Result")
"""Nodes that make one row, or none, of many: what they were given is what was used."""


@dataclass(frozen=True, slots=True)
class Work:
    """`read` counts rows of the big tables that were looked at, and pairs that a join threw away.
    A statement that ran into its time has read infinitely many."""

    read: float
    used: float
    ms: float
    plan: str = ""

    @property
    def a_row(self) -> float:
        """Rows read for each that was used."""
        return self.read / max(self.used, 1.0)


def work_of(connection: Connection, statement: str, values: dict[str, Any]) -> Work:
    """Runs it for its plan, in a transaction that the caller rolls back."""
    explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    try:
        if "%(" in statement:  # As the driver was given it.
            found = connection.exec_driver_sql(explain, values).scalar_one()
        else:
            found = connection.execute(text(explain), values).scalar_one()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") != STOPPED:
            raise
        return Work(float("inf"), 1.0, float("inf"), "it was stopped")
    (explained,) = json.loads(found) if isinstance(found, str) else found
    plan = explained["Plan"]
    ms = explained["Planning Time"] + explained["Execution Time"]
    return Work(sum(_read(node) for node in _nodes(plan)), _used(plan), ms, "\n".join(_drawn(plan)))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _read(node: dict[str, Any]) -> float:
    loops = node["Actual Loops"]
    thrown = node.get("Rows Removed by Join Filter", 0)
    if node.get("Relation Name") in BIG and "Scan" in node["Node Type"]:
        thrown += node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        thrown += node.get("Rows Removed by Index Recheck", 0)
    return float(thrown * loops)


def _used(node: dict[str, Any]) -> float:
    """Rows that came to something. Of a function's rows, or one table beside another, the most."""
    mine = float(node["Actual Rows"] * node["Actual Loops"])
    children = [
        child for child in node.get("Plans", ()) if child["Parent Relationship"] != "InitPlan"
    ]
    ctes = [child for child in node.get("Plans", ()) if child["Parent Relationship"] == "InitPlan"]
    told = [mine]
    if node["Node Type"] in BELOW or node["Node Type"] in ("Sort", "CTE Scan", "Subquery Scan"):
        told += [_used(child) for child in children]
    if node["Node Type"] in ("Append", "Nested Loop", "Hash Join") and mine <= 100:
        told += [_used(child) for child in children if _sums(child)]
    told += [_used(child) for child in ctes]
    return max(told)


def _sums(node: dict[str, Any]) -> bool:
    if node["Node Type"] == "Aggregate":
        return True
    return node["Node Type"] in ("Subquery Scan", "Append", "Nested Loop", "Sort") and any(
        _sums(child) for child in node.get("Plans", ())
    )


def _drawn(node: dict[str, Any], depth: int = 0) -> Iterator[str]:
    where = node.get("Index Name") or node.get("Relation Name") or node.get("CTE Name") or ""
    rows = f"{node['Plan Rows']} -> {node['Actual Rows']:g} x {node['Actual Loops']}"
    thrown = node.get("Rows Removed by Join Filter", 0) or node.get("Rows Removed by Filter", 0)
    yield f"{'  ' * depth}{node['Node Type']} {where} ({rows}, less {thrown:g})"
    for child in node.get("Plans", ()):
        yield from _drawn(child, depth + 1)
