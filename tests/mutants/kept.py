"""What became of every fault, a line of JSON each, in a file that a later run goes on with; and the
table of docs/reliability.md, which is made of it."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from tests.mutants import survivors
from tests.mutants.running import NO_END, Fault, Outcome


class Kept:
    """The file. Several processes add to it at once: a line is written whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def outcomes(self) -> dict[str, Outcome]:
        """The last of each fault, by its name."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        return {(one := Outcome(**json.loads(line))).name: one for line in lines}

    def add(self, outcome: Outcome) -> None:
        """What came out last counts."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")

    def leave(self, outcomes: Iterable[Outcome]) -> None:
        """Only these from now on."""
        self.path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in outcomes), "utf-8")


@dataclass(slots=True)
class Row:
    """Counts of a part: `alike` change nothing, `late` are seen by a test that came to no end."""

    faults: int = 0
    seen: int = 0
    late: int = 0
    alike: int = 0
    unseen: int = 0
    not_run: int = 0


def rows(faults: Iterable[Fault], outcomes: dict[str, Outcome]) -> dict[str, Row]:
    """By part, and `all` at the end."""
    found = defaultdict[str, Row](Row)
    for fault in faults:
        outcome = outcomes.get(fault.name)
        for row in (found[fault.part], found["**all**"]):
            row.faults += 1
            row.not_run += outcome is None
            if outcome is not None:
                row.seen += outcome.is_seen
                row.late += outcome.how == NO_END
                alike = not outcome.is_seen and survivors.why(fault.name) is not None
                row.alike += alike
                row.unseen += not outcome.is_seen and not alike
    last = found.pop("**all**", Row())
    return dict(sorted(found.items())) | {"**all**": last}


def table(faults: Iterable[Fault], outcomes: dict[str, Outcome]) -> str:
    """In Markdown."""
    heads = ("where", "faults", "seen", "of them by time", "change nothing", "not seen", "not run")
    lines = [heads, ("---",) * len(heads)]
    for part, row in rows(faults, outcomes).items():
        lines.append((part, *(f"{number:,}" for number in astuple(row))))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
