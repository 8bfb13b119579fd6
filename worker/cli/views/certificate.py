"""How a certificate, or its refusal, reads in a terminal."""

from worker.cli.speech.output import console, talk
from worker.domain.proof.certificate_words import claim_sentence, refusal_sentence, rests_on
from worker.domain.proof.claims import Certification
from worker.domain.proof.ladder_certificates import Certificate


def print_certificate(made: Certificate, source: str) -> None:
    """The sentence, what it rests on, and each segment's bound."""
    result = made.result
    out = console()
    if result.certified:
        out.print(f"Certified: {claim_sentence(result)}", style="green")
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
    from rich.table import Table

    table = Table("segment", "certified", "from score", "errors", "labels", "at most", box=None)
    for one in result.segments:
        table.add_row(
            one.segment or "–",
            "yes" if one.certified else "no",
            "–" if one.threshold is None else f"{one.threshold:.3f}",
            str(one.errors),
            str(one.labels),
            f"{one.upper:.1%}",
        )
    console().print(table)
