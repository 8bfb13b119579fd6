"""How a certificate, or its refusal, reads in a terminal."""

from worker.cli.speech.output import console, talk
from worker.domain.proof.certificate_page import Issued, page_sentences
from worker.domain.proof.certificate_words import claim_sentence, refusal_sentence, rests_on
from worker.domain.proof.claims import Certification
from worker.domain.proof.ladder_certificates import Certificate
from worker.domain.wording import certificate_word, percent

MOST_SEGMENTS = 40
"""Lines of a table that somebody reads."""


def print_certificate(made: Certificate, source: str, *, rehearsal: bool = False) -> None:
    """The sentence, what it rests on, and each segment's bound."""
    result = made.result
    out = console()
    if result.certified:
        word = "REHEARSAL, SIMULATED, certifies nothing" if rehearsal else "Certified"
        style = "yellow" if rehearsal else "green"
        out.print(f"{word}: {claim_sentence(result)}", style=style)
        out.print(rests_on(result, source), soft_wrap=True)
    else:
        out.print(f"Refused: {claim_sentence(result)}", style="yellow")
        out.print(refusal_sentence(result), soft_wrap=True)
    if result.segments:
        _print_segments(result)
    for lower in made.below:
        granted = "" if lower.result.certified else " (refused, so all climb)"
        talk(f"Below it: {claim_sentence(lower.result)}{granted}")


def _print_segments(result: Certification) -> None:
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "segment", "certified", "from score", "errors", "labels", "at most", box=None
    )
    for one in result.segments[:MOST_SEGMENTS]:
        table.add_row(
            one.segment or "–",
            "yes" if one.certified else "no",
            "–" if one.threshold is None else f"{one.threshold:.3f}",
            str(one.errors),
            str(one.labels),
            percent(one.upper, 1),
        )
    console().print(table)
    more = len(result.segments) - MOST_SEGMENTS
    if more > 0:
        talk(f"and {more:,} more, none worse than these; --json lists them all")


def print_stored(found: Issued) -> None:
    """A certificate on a page that a person can sign."""
    from rich.text import Text

    from worker.cli.speech.tables import FittingTable

    out = console()
    out.print(f"Certificate {found.id}: {certificate_word(found.state)}", style="bold")
    for sentence in page_sentences(found):
        out.print(Text(sentence), soft_wrap=True)
    if found.segments:
        table = FittingTable("segment", "certified", "errors", "labels", "at most", box=None)
        for one in found.segments:
            counts = str(one["errors"]), str(one["labels"]), percent(one["upper"], 1)
            table.add_row(one["segment"] or "–", "yes" if one["certified"] else "no", *counts)
        out.print(table)
    out.print("\nSigned: ______________________    Date: ______________")
