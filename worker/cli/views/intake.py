"""What came of a handover, in words."""

import sys
from shlex import quote
from typing import TYPE_CHECKING, Any

from worker.cli.speech.output import print_json, talk
from worker.cli.views.outlook import counted_of, print_outlook
from worker.config.settings import Settings
from worker.domain.backlog import WHOLE_FILE
from worker.domain.policy import Policy
from worker.domain.text import terminal_safe

if TYPE_CHECKING:
    from worker.domain.knowledge_cost import KnowledgeWay
    from worker.intake.outcome import HandoverOutcome
    from worker.runs.forecasts import RunForecast

SHOWN_REJECTS = 20
SHOWN_ID = 40
"""Characters of an external id beside a rejected row."""


def say_outcome(
    outcome: "HandoverOutcome", document: dict[str, Any], *, watched: bool, again: str
) -> None:
    """What was taken, or nothing new, and then `again`; `watched` where the run is followed at
    once."""
    _say_rows(outcome, document)
    counts = outcome.counts
    if outcome.rejects_file:
        talk(f"Rejected rows are listed in {outcome.rejects_file}.")
    if outcome.run is None:
        if counts.duplicates:
            talk(f"Nothing new: {_known(outcome)}.")
            talk(again)
        return
    talk(
        f"Run {outcome.run}: {counts.accepted:,} accepted, {counts.rejected:,} rejected,"
        f" {counts.duplicates:,} known already."
    )
    if sys.stderr.isatty() and counts.accepted and not watched:
        talk(f"Follow it with: rung status {quote(outcome.run)} --watch")


def _known(outcome: "HandoverOutcome") -> str:
    """`all 5 messages are in day already`."""
    number = outcome.counts.duplicates
    where = ", ".join(outcome.known_in) or "another run"
    are = "its 1 message is" if number == 1 else f"all {number:,} messages are"
    return f"{are} in {where} already"


def _one_line(reject: dict[str, Any]) -> bool:
    return reject["line"] == 1 and bool(reject["external_id"])


def _say_rows(outcome: "HandoverOutcome", document: dict[str, Any]) -> None:
    """How the files were read, which rows were not taken, and what was done to others."""
    for read in outcome.read:
        for words in read.as_words():
            talk(words)
    for reject in document["rejects"][:SHOWN_REJECTS]:
        # Of a document that is one line, only the id tells which row is meant.
        named = f" ({terminal_safe(reject['external_id'])[:SHOWN_ID]})" if _one_line(reject) else ""
        where = f"{reject['file']}, line {reject['line']}{named}"
        talk(f"{where}: {reject['reason']}", fg="yellow")
    if outcome.counts.rejected > SHOWN_REJECTS:
        talk(f"… and {outcome.counts.rejected - SHOWN_REJECTS:,} more", fg="yellow")
    for warning in document["warnings"][:SHOWN_REJECTS]:
        where = "" if warning["line"] == WHOLE_FILE else f"line {warning['line']}: "
        talk(f"Note: {where}{warning['reason']}")
    for words in outcome.counts.notes.as_words()[:SHOWN_REJECTS]:
        talk(f"Note: {words}")


def say_dry_run(
    settings: Settings,
    policy: Policy,
    outcome: "HandoverOutcome",
    as_json: bool,
    outlook: "RunForecast | None",
    pages: "KnowledgeWay | None",
) -> None:
    """What would be read, and what answering it would probably cost."""
    from worker.cli.views.expected import print_expected, print_lengths
    from worker.runs.estimate import by_length

    counts = outcome.counts
    counted = counted_of(settings) if outcome.compared else {}
    forecast = outlook.dollars.p50 if outlook is not None else None
    expected, lengths = by_length(
        settings, policy, counts.lengths, pages, counted, forecast=forecast
    )
    document = outcome.as_document()
    if as_json:
        measured = expected.as_document() | (outlook.as_expected() if outlook else {})
        measured["pages"] = pages.words if pages else None
        measured["by_length"] = [one.as_document() for one in lengths]
        extra = {"compared": outcome.compared, "expected": measured}
        print_json({**document, "dry_run": True, **extra})
        return
    _say_rows(outcome, document)
    talk(
        f"Dry run, nothing stored: {counts.accepted:,} would be accepted, {counts.rejected:,}"
        f" rejected, {counts.duplicates:,} known already."
    )
    if not outcome.compared:
        talk("Not compared with what is stored: no database was reached.")
    if not counts.accepted:
        talk("It would cost nothing: nothing in it would be answered.")
        return
    print_outlook(outlook) if outlook is not None else print_expected(expected)
    if outlook is not None and pages is not None:
        talk(f"Pages {pages.words}.")
    print_lengths(lengths)
