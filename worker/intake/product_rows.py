"""What a product says of a whole row of its export: that it is deleted, spam or between colleagues,
and which words its numbers stand for. Of results that Rung wrote: what is an earlier answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from worker.domain.backlog import Care, Note, Notes
from worker.domain.text import restored_formula
from worker.intake.paths import Path, column_of, follow, parse_place
from worker.intake.presets import PRESETS
from worker.intake.writers import TeamsWords

DELETED, SPAM = "deleted in the helpdesk", "marked as spam in the helpdesk"
IN_WORDS = "the product's number, taken as the word that it stands for"
BETWEEN_COLLEAGUES = "a side conversation, which the customer does not see"
EARLIER = "what a run has answered already is no part of the message"
RESTORED = "without the apostrophe that stands before a formula in results"
RUNG = "rung"
"""Results that Rung wrote, with apostrophes before what would be a formula."""
_ANSWERED = """
send state verdict verdict_reason tier model confidence accepted difficulty escalations attempts
cost_usd reasons sources answered_at simulated reply job
"""
_OUTCOME = frozenset(_ANSWERED.split())

_AWAY: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "zendesk": (
        ("status", "deleted", DELETED),
        ("via.channel", "side_conversation", BETWEEN_COLLEAGUES),
    ),
    "freshdesk": (("deleted", "true", DELETED), ("spam", "true", SPAM)),
    "helpscout": (("state", "deleted", DELETED), ("status", "spam", SPAM)),
    "gorgias": (("trashed_datetime", "", DELETED), ("spam", "true", SPAM)),
    "front": (("status", "deleted", DELETED), ("status", "spam", SPAM)),
    "freescout": (("state", "deleted", DELETED), ("status", "spam", SPAM)),
    "hubspot": (("archived", "true", DELETED),),
    "zoho": (("isTrashed", "true", DELETED), ("isSpam", "true", SPAM)),
    "salesforce": (("IsDeleted", "true", DELETED),),
}
"""Where it stands, the word that says it (none: anything), and what it means."""

_FRESHDESK_SOURCES = (
    *("Email", "Portal", "Phone", "Forum", "Twitter", "Facebook", "Chat", "MobiHelp"),
    *("Feedback Widget", "Outbound Email"),
)
_CODES: Mapping[str, Mapping[str, tuple[str, Mapping[int, str]]]] = {
    "freshdesk": {
        "source": (
            "source_name",
            dict(enumerate(_FRESHDESK_SOURCES, 1)),
        ),
        "status": ("status_name", {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed"}),
        "priority": ("priority_name", {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}),
    }
}
"""Columns with numbers: the column that would hold the word, and the words where there is none."""


@dataclass(frozen=True, slots=True)
class FileWords:
    """What rows of a file are heard for: their product's words, or else whose they are."""

    product: str | None = None
    teams: tuple[TeamsWords, ...] = ()

    @classmethod
    def of_teams(cls, teams: tuple[TeamsWords, ...]) -> "FileWords | None":
        """None where no column tells the team's rows."""
        return cls(teams=teams) if teams else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWords:
    """What is looked for in rows of one shape."""

    away: tuple[tuple[Path, str, str], ...] = ()
    codes: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()
    restored: bool = False
    teams: tuple[TeamsWords, ...] = ()

    def why_away(self, row: Mapping[str, Any]) -> str | None:
        """Why nobody waits for an answer to this row; None where somebody does."""
        for path, word, reason in self.away:
            said = follow(row, path)
            if said not in (None, "", [], {}) and (not word or str(said).casefold() == word):
                return reason
        return next((why for one in self.teams if (why := one.why_not(row))), None)

    def in_words(self, row: Mapping[str, Any], line: int, notes: Notes) -> Mapping[str, Any]:
        """The row with words for its numbers, which is noted; one that is not known stays."""
        changed = {
            name: words[row[name]]
            for name, words in self.codes.items()
            if type(row[name]) is int and row[name] in words
        }
        for name in changed:
            notes.add(Note(Care.COERCED, name, IN_WORDS), line)
        if self.earlier:
            notes.add(Note(Care.LEFT_OUT, ", ".join(self.earlier), EARLIER), line)
            changed |= dict.fromkeys(self.earlier, "")
        if self.restored:
            changed |= _as_they_were(row, line, notes)
        return {**row, **changed} if changed else row


def _as_they_were(row: Mapping[str, Any], line: int, notes: Notes) -> dict[str, str]:
    """The cells that have an apostrophe too many, without it, which is noted."""
    texts = ((name, cell) for name, cell in row.items() if isinstance(cell, str))
    restored = {name: was for name, cell in texts if (was := restored_formula(cell)) != cell}
    for name in restored:
        notes.add(Note(Care.COERCED, name, RESTORED), line)
    return restored


def product_of(columns: Mapping[str, str]) -> str | None:
    """The product whose map this is, where it is one as it comes with Rung."""
    return next((name for name, one in PRESETS.items() if one.columns == columns), None)


def row_words_of(names: tuple[str, ...], told: FileWords | None) -> RowWords | None:
    """What is looked for in rows of these columns; None where it is nothing."""
    product = told.product if told is not None else None
    if told is not None and told.teams:
        return RowWords(teams=told.teams)
    away = tuple(
        (path, word, reason)
        for place, word, reason in _AWAY.get(product or "", ())
        for ((path,),) in (parse_place(place).alternatives,)
        if column_of(path[0].name, names) is not None
    )
    codes: dict[str, Mapping[int, str]] = {}
    for column, (other, words) in _CODES.get(product or "", {}).items():
        found = column_of(column, names)
        if found is not None and column_of(other, names) is None:
            codes[found] = words
    if product == RUNG:
        earlier = tuple(name for name in names if name in _OUTCOME)
        return RowWords(earlier=earlier, restored=True)
    return RowWords(away=away, codes=MappingProxyType(codes)) if away or codes else None
