"""The table that `make faults` prints, and that `docs/reliability.md` quotes.

`python -m tests.faults.report` puts the last run's table into that document.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.support.house import Tally
from tests.support.household import CAPACITY, TIMING

ROOT = Path(__file__).parents[2]
LAST = ROOT / ".pytest_cache" / "faults.jsonl"
DOCUMENT = ROOT / "docs" / "reliability.md"
FIGURES = re.compile(r"(<!-- figures -->\n).*?(<!-- end figures -->)", re.DOTALL)
ROWS = {
    1: "deliveries lost: Redis flushed, restarted, full, mute; crash before the claim",
    2: "deliveries twice, late, to the wrong queue, malformed",
    3: "worker killed",
    4: "worker frozen past its lease, then awake",
    5: "worker deaf to a queue",
    6: "Postgres away, read-only, full, locked, mute",
    7: "transactions held open",
    8: "Claude refuses, fails, hangs, cuts",
    9: "Claude's configuration or money",
    10: "answers that are none",
    11: "poison job",
    12: "the same backlog at once",
    13: "awkward rows",
    14: "clocks an hour off",
    15: "another version's payload or schema",
    16: "no scheduler, several housekeepers, rescue dies half-way",
    17: "planted text in errors and replies",
    18: "every message climbs; budgets of zero, too small",
    19: "several hosts: a cable pulled, a host killed, a slow and lossy line",
}
"""The failure modes, by the numbers that `docs/reliability.md` uses."""

DELIVERY_S, CRASH_S = 75.0, float(TIMING["lease_s"]) + 30
RECOVERS_WITHIN_S = {1: DELIVERY_S, 3: CRASH_S, 4: CRASH_S, 11: CRASH_S}
"""Seconds from a fault's end until everything has ended, by failure mode: what is promised with the
default timing for deliveries, and with this suite's lease for crashes."""


def remember(name: str, row: int, seed: int, tally: Tally) -> None:
    """Appends one scenario to the report, when there is one."""
    if path := os.environ.get("FAULT_REPORT"):
        line = json.dumps({"name": name, "row": row, "seed": seed, **asdict(tally)})
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a failure mode, and a sum."""
    by_row: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_row[row["row"]].append(row)
    lines = [
        "| # | failure mode | scenarios | faults | calls wasted | a fault | recovery, s (max) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for number in sorted(by_row):
        lines.append(_line(str(number), ROWS[number], by_row[number]))
    lines.append(_line("", "**all**", rows))
    seeds = sorted({row["seed"] for row in rows})
    lines.append(
        f"seed {', '.join(map(str, seeds))}; at most {CAPACITY} calls are in flight in a worker;"
        f" the suite fails above {DELIVERY_S:.0f} s after a lost delivery and {CRASH_S:.0f} s"
        " after a crash"
    )
    return lines


def _line(number: str, words: str, rows: Sequence[Mapping[str, Any]]) -> str:
    faults, wasted = sum(row["faults"] for row in rows), sum(row["wasted"] for row in rows)
    recoveries = [row["recover_s"] for row in rows if row["faults"]]
    longest = f"{max(recoveries):.1f}" if recoveries else "–"
    each = f"{wasted / faults:.2f}" if faults else "–"
    return f"| {number} | {words} | {len(rows)} | {faults} | {wasted} | {each} | {longest} |"


def main() -> None:
    """Quotes the last run of `make faults`."""
    rows = [json.loads(line) for line in LAST.read_text("utf-8").splitlines()]
    *lines, seed = table(rows)
    quoted = "\n".join([*lines, "", f"`make faults`, {seed}.", ""])
    text = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(FIGURES.sub(lambda match: match[1] + quoted + match[2], text), "utf-8")


if __name__ == "__main__":
    main()
