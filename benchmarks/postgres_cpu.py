"""Postgres's own count of its CPU, statement by statement (`log_statement_stats`).

On a machine that is shared the clock says what the others left; this count says what a statement
costs.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

USED = re.compile(r"^\t!\t([\d.]+) s user, ([\d.]+) s system, [\d.]+ s elapsed$")
COUNTED = "log_statement_stats = on"
"""What a database is set to so that it is counted."""


@dataclass(slots=True)
class CpuLog:
    """Reads the server's log: what was spent since `begin`, altogether and by statement."""

    log: Path
    read: int = 0
    by_statement: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def begin(self) -> None:
        """From here on."""
        self.read = self.log.stat().st_size

    def spent_ms(self) -> float:
        """Of all statements since `begin`; by statement beside it."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(self.read)
            lines = log.readlines()
        total, last, words = 0.0, 0.0, list[str]()
        for line in [*lines, "."]:
            if words and not line.startswith("\t"):
                self.by_statement[" ".join(" ".join(words).split())] += last
                words = []
            if used := USED.match(line.rstrip("\n")):
                last = 1000 * (float(used[1]) + float(used[2]))
                total += last
            elif "STATEMENT:" in line:
                words = [line.split("STATEMENT:")[1]]
            elif words:
                words.append(line)
        return total

    def dearest(self, most: int) -> Sequence[tuple[str, float]]:
        """Statements with their milliseconds, the dearest first."""
        return sorted(self.by_statement.items(), key=lambda one: -one[1])[:most]
