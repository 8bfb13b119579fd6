"""`rung certify`: a claim about accepted answers, granted or refused."""

import math
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from worker.cli.speech.amounts import Finite
from worker.cli.speech.completion import RUN
from worker.cli.speech.options import JSON
from worker.cli.speech.output import SIMULATED, print_json, talk
from worker.cli.views.certificate import print_certificate
from worker.domain.proof.claims import Claim
from worker.domain.proof.graded import ladder_of
from worker.domain.proof.ladder_certificates import Certificate, CertificateQuestion
from worker.domain.proof.ladder_certificates import certify as decide
from worker.errors import UsageError
from worker.intake.graded_tables import GradedTable, is_table, read_table

if TYPE_CHECKING:
    from worker.runs.certification import CertificationOutcome

EXIT_REFUSED = 1
MORE_THAN_NEEDED = 1.2
"""So many times the labels are drawn, for a few more errors may be among them."""
SHARE = Finite(0, 1, min_open=True, max_open=True)


@click.command()
@click.argument("sources", nargs=-1, required=True, shell_complete=RUN, metavar="RUN…|TABLE")
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
@click.option(
    "--alpha",
    type=SHARE,
    default=0.05,
    show_default=True,
    help="What share may be wrong, or worse.",
)
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
@click.option(
    "--segment",
    help="Bounds for each value of this too, the worst first: a column of the table; of runs"
    " difficulty, channel, language or a key of the metadata.",
)
@click.option("--dry-run", is_flag=True, help="Of runs: say it, and store no certificate.")
@click.option(
    "--rehearse",
    is_flag=True,
    help="Of simulated runs: an exercise, which proves nothing and ends with exit code 1.",
)
@JSON
@click.pass_context
def certify(ctx: click.Context, /, sources: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Certify the answers accepted at a tier, from graded outcomes, or say what is missing.

    Of runs, each look at new labels costs a part of delta, so decide beforehand how many labels to
    collect. Exit code 0 when certified, 1 when refused. A rehearsal certifies nothing, so it ends
    with 1 too, however it goes.
    """
    if any(is_table(source) for source in sources):
        granted = _of_table(sources, as_json, given)
    else:
        granted = _of_runs(sources, as_json, given)
    if not granted:
        ctx.exit(EXIT_REFUSED)


def _of_table(sources: tuple[str, ...], as_json: bool, given: dict[str, Any]) -> bool:
    if len(sources) > 1:
        raise UsageError(
            "One table at a time, and no runs beside it.", mend="rung certify FILE.csv"
        )
    table = read_table(Path(sources[0]), given["table"], given["segment"] or "label")
    made = decide(_question(table, given), segments=given["segment"] is not None)
    if as_json:
        print_json(document(made, segments=given["segment"] is not None))
    else:
        print_certificate(made, table.name)
    return made.result.certified


def _of_runs(names: tuple[str, ...], as_json: bool, given: dict[str, Any]) -> bool:
    from worker.cli.speech.context import database
    from worker.cli.speech.person import actor
    from worker.runs.certification import CertificationRequest, certify_runs
    from worker.store.runs import find_run

    request = CertificationRequest(
        tier=given["tier"],
        claim=Claim(given["claim"]),
        alpha=given["alpha"],
        delta=given["delta"],
        fitted=given["score"] == "fitted",
        segment_by=given["segment"],
        first=given["first"],
        rehearse=given["rehearse"],
        store=not given["dry_run"],
    )
    with database() as engine, engine.begin() as connection:
        runs = [find_run(connection, name) for name in dict.fromkeys(names)]
        outcome = certify_runs(connection, actor(), runs, request)
    made, number = outcome.made, outcome.number
    certified = made.result.certified and not outcome.found.simulated
    if as_json:
        found = document(made, segments=given["segment"] is not None)
        print_json(found | {"certified": certified} | _figures(outcome))
        return certified
    print_certificate(made, " and ".join(outcome.runs), rehearsal=outcome.rehearsal)
    if mend := more_labels(outcome):
        talk(f"Fix: {mend}")
    if outcome.found.ungraded:
        talk(f"{outcome.found.ungraded} drawn answers are not judged yet: rung review --audit")
    if outcome.look > 1:
        talk(
            f"Look {outcome.look} at new labels: only {outcome.spent:.2g} of delta is left for it."
        )
    if number is not None:
        talk(f"Certificate {number}. In force with accept.certificate = {number} in a policy.")
    if outcome.found.simulated:
        talk(
            f"{SIMULATED}. They certify nothing; --rehearse goes through the motions.", fg="yellow"
        )
    return certified


def _figures(outcome: "CertificationOutcome") -> dict[str, Any]:
    """What it was made of, as JSON."""
    return {
        "runs": outcome.runs,
        "certificate": outcome.number,
        "simulated": outcome.found.simulated,
        "rehearsal": outcome.rehearsal,
        "look": outcome.look,
        "delta": round(outcome.spent, 9),
        "drawn": outcome.found.drawn,
        "ungraded": outcome.found.ungraded,
        "judged_twice": outcome.found.twice,
        "differing": outcome.found.differing,
    }


def more_labels(outcome: "CertificationOutcome") -> str | None:
    """How to come to as many labels as are missing: the share of the run to draw. None where more
    would not help, or what is drawn already has to be judged first."""
    result, found = outcome.made.result, outcome.found
    name, needs = quote(outcome.runs[0]), result.needs
    if result.certified or not needs or result.errors > result.terms.alpha * result.labels > 0:
        return None
    if found.ungraded:
        return f"rung review --audit {name}"
    have = max(result.labels, 1)
    share = len(found.sampled) * (needs / have) * MORE_THAN_NEEDED / max(found.of, 1)
    if not found.sampled or share >= 1:
        return f"rung audit {name} --share 100%, or a larger run: {needs:,} labels are needed"
    return f"rung audit {name} --share {math.ceil(share * 100)}%"


def _question(table: GradedTable, given: dict[str, Any]) -> CertificateQuestion:
    ladder = ladder_of(table.messages)
    tier = given["tier"] or ladder[0]
    if tier not in ladder:
        raise UsageError(f"{table.name} has no tier {tier!r}; it has {', '.join(ladder)}.")
    if given["claim"] == Claim.PARITY and tier == ladder[-1]:
        raise UsageError(
            f"{tier} is the top tier of {table.name}: there is no parity with itself.",
            mend="--claim accuracy, or a tier below",
        )
    return CertificateQuestion(
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
