"""`rung certify`: a claim about accepted answers, granted or refused."""

from pathlib import Path
from typing import Any

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.output import print_json
from worker.cli.views.certificate import print_certificate
from worker.domain.proof.claims import Claim
from worker.domain.proof.graded import ladder_of
from worker.domain.proof.ladder_certificates import Certificate, Question
from worker.domain.proof.ladder_certificates import certify as decide
from worker.errors import UsageError
from worker.intake.graded_tables import GradedTable, is_table, read_table

EXIT_REFUSED = 1
SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.argument("sources", nargs=-1, required=True, shell_complete=RUN, metavar="TABLE")
@click.option("--table", help="Which table of the file, when it holds several.")
@click.option("--first", type=click.IntRange(min=1), help="Use the labels of the first N only.")
@click.option("--tier", help="Whose accepted answers; the cheapest if left out.")
@click.option(
    "--claim",
    type=click.Choice([claim.value for claim in Claim]),
    default=Claim.PARITY.value,
    show_default=True,
    help="parity: hardly any message is answered worse than by the top tier. accuracy: hardly any"
    " accepted answer is wrong.",
)
@click.option("--alpha", type=SHARE, default=0.05, show_default=True, help="How many, as a share.")
@click.option(
    "--delta", type=SHARE, default=0.05, show_default=True, help="How often a claim may be false."
)
@click.option(
    "--score",
    type=click.Choice(["fitted", "confidence"]),
    default="fitted",
    show_default=True,
    help="A scorer fitted on a part of the labels, or the stated confidence as it is.",
)
@click.option("--segment", help="Bounds for each value of this column too, the worst first.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_context
def certify(ctx: click.Context, /, sources: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Certify the answers accepted at a tier, from graded outcomes, or say what is missing.

    Exit code 0 when certified, 1 when refused.
    """
    table = _table(sources, given["table"], given["segment"] or "label")
    made = decide(_question(table, given), segments=given["segment"] is not None)
    if as_json:
        print_json(document(made, segments=given["segment"] is not None))
    else:
        print_certificate(made, table.name)
    if not made.result.certified:
        ctx.exit(EXIT_REFUSED)


def _table(sources: tuple[str, ...], name: str | None, segment: str) -> GradedTable:
    if len(sources) > 1 or not is_table(sources[0]):
        raise UsageError(
            f"{sources[0]} is no table: give one CSV file of graded outcomes.",
            mend="rung certify FILE.csv",
        )
    return read_table(Path(sources[0]), name, segment)


def _question(table: GradedTable, given: dict[str, Any]) -> Question:
    ladder = ladder_of(table.messages)
    tier = given["tier"] or ladder[0]
    if tier not in ladder:
        raise UsageError(f"{table.name} has no tier {tier!r}; it has {', '.join(ladder)}.")
    if given["claim"] == Claim.PARITY and tier == ladder[-1]:
        raise UsageError(
            f"{tier} is the top tier of {table.name}: there is no parity with itself.",
            mend="--claim accuracy, or a tier below",
        )
    return Question(
        messages=table.messages,
        labelled=table.messages[: given["first"]],
        ladder=ladder,
        tier=tier,
        claim=Claim(given["claim"]),
        alpha=given["alpha"],
        delta=given["delta"],
        fitted=given["score"] == "fitted",
        simulated=table.simulated,
    )


def document(made: Certificate, *, segments: bool) -> dict[str, Any]:
    """The JSON of a certificate."""
    result = made.result
    found: dict[str, Any] = {
        "certified": result.certified,
        "claim": result.terms.claim.value,
        "tier": result.terms.tier,
        "threshold": result.threshold,
        "errors": result.errors,
        "labels": result.labels,
        "upper": round(result.upper, 6),
        "coverage": round(result.coverage, 6),
        "needs": result.needs,
    }
    if segments:
        found["segments"] = [
            {
                "segment": one.segment,
                "certified": one.certified,
                "threshold": one.threshold,
                "errors": one.errors,
                "labels": one.labels,
                "upper": round(one.upper, 6),
                "coverage": round(one.coverage, 6),
            }
            for one in result.segments
        ]
    return found
