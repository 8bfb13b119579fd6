"""What came of a handover."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.domain.backlog import Notes, Reject
from worker.domain.lengths import Lengths
from worker.domain.proof.strata import in_proportion
from worker.intake.formats import Found
from worker.intake.guess import Guess

LISTED = 1_000
"""Rejects and warnings that an outcome names: memory stays constant however bad a file is."""


@dataclass(frozen=True, slots=True)
class Read:
    """How one file was read."""

    name: str
    found: Found
    guess: Guess

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "file": Path(self.name).name,
            **self.found.as_document(),
            "columns": dict(self.guess.columns),
            "guessed": sorted(self.guess.found),
            "preset": self.guess.preset,
        }

    def as_words(self) -> list[str]:
        """What was found out and not said, a sentence each."""
        found, words = self.found, []
        if self.guess.found:
            by = f", as {self.guess.preset} exports it" if self.guess.preset else ""
            words.append(f"columns: {self.guess.as_words()}{by}")
        if found.member is not None:
            words.append(f"{found.member} in it was read")
        if found.encoding is not None:
            words.append(f"read as {found.encoding} (--encoding says another)")
        if found.delimiter not in (None, ","):
            words.append(f"columns parted by {found.delimiter!r}")
        if found.dialect is not None:
            words.append(found.dialect)
        if found.header is not None:
            words.append(f"the header is on line {found.header}, below a title")
        if found.records is not None:
            words.append(f"rows under {found.records!r}")
        return [f"{Path(self.name).name}: {one}." for one in words]


@dataclass(slots=True, kw_only=True)
class Counts:
    """What has come in so far."""

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    lengths: Lengths = field(default_factory=Lengths)
    """Of what a dry run would accept."""
    strata: Counter[str] = field(default_factory=Counter)
    """Rows by stratum, whatever became of them: which of them are known already is told by number
    only."""
    rejects: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    known: list[tuple[str, str]] = field(default_factory=list)
    """The first rows by `(source, external_id)`, until one is accepted: where all are known, they
    tell in which runs."""

    @property
    def coming(self) -> Mapping[str, int]:
        """Messages by stratum of what was accepted, for a forecast: all strata alike, where a part
        of the rows was not."""
        return in_proportion(self.strata, self.accepted)

    def reject(self, name: str, rejects: list[Reject]) -> None:
        """Counts rejected rows of a file, and keeps the first ones."""
        self.rejected += len(rejects)
        _list(self.rejects, name, rejects)

    def warn(self, name: str, warnings: list[Reject]) -> None:
        """Keeps the first warnings."""
        _list(self.warnings, name, warnings)


def _list(listed: list[dict[str, Any]], name: str, found: list[Reject]) -> None:
    room = max(LISTED - len(listed), 0)
    listed += [
        {
            "file": Path(name).name,
            "line": one.line,
            "reason": one.reason,
            "external_id": one.external_id,
        }
        for one in found[:room]
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverOutcome:
    """What came of a handover. `run` is None where nothing was accepted, or on a dry run;
    `known_in` names runs that hold what was known already; `compared` tells whether a dry run knew
    what is stored."""

    run: str | None
    made: bool
    counts: Counts
    rejects_file: Path | None
    known_in: list[str]
    read: list[Read]
    compared: bool

    def first_reason(self) -> str:
        """Why the first row that was not taken was not; of no file that holds rows."""
        first = self.counts.rejects[0] if self.counts.rejects else None
        return f"line {first['line']}: {first['reason']}" if first else "it holds none"

    def as_document(self) -> dict[str, Any]:
        """For JSON, of the command and of the API."""
        counts = self.counts
        return {
            "run": self.run,
            "accepted": counts.accepted,
            "rejected": counts.rejected,
            "duplicates": counts.duplicates,
            # Repeated ids are found by the database, after the lines around them were read.
            "rejects": sorted(counts.rejects, key=lambda reject: (reject["file"], reject["line"])),
            "rejects_file": str(self.rejects_file) if self.rejects_file else None,
            "warnings": counts.warnings,
            "notes": counts.notes.as_document(),
            "known_in": self.known_in,
            "read": [one.as_document() for one in self.read],
        }
