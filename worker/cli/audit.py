"""`rung audit`: how many accepted answers chance chooses to be looked at."""

from decimal import Decimal
from shlex import quote
from typing import Any

import click
from sqlalchemy import Engine

from models.vocabulary import PERSON
from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.person import actor
from worker.config.loading import load_settings
from worker.domain.wording import count, plural
from worker.runs.inquiries import JudgeRequest, ask_judge, ask_shadows
from worker.store.actions.audits import raise_share
from worker.store.actions.inquiries import give_back
from worker.store.audit import audit as note_deed
from worker.store.reading.audits import AuditCounts, counts
from worker.store.runs import RunRef, StoredRun, find_run


class Share(click.ParamType[Decimal]):
    """`2%` or `0.02`."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Fails with a sentence that names what was given."""
        text = str(value).strip()
        try:
            number = Decimal(text.removesuffix("%").strip())
        except ArithmeticError:
            number = Decimal(-1)
        share = number / 100 if text.endswith("%") else number
        if not share.is_finite() or not 0 < share <= 1:
            self.fail(f"{value!r} is no share: write 2% or 0.02.", param, ctx)
        return share


SHARE = Share()


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--share", type=SHARE, help="Of its accepted answers: 2% or 0.02.")
@click.option(
    "--by",
    help="Who judges what is drawn: a tier above the cheapest, in the batch lane, or person, who"
    " takes everything back from it.",
)
@click.option(
    "--passes",
    type=SHARE,
    help="Of what the tier finds right, for people all the same: 10% or 0.1.",
)
@click.option(
    "--shadow",
    type=SHARE,
    help="Of its messages: every tier that was not needed is asked too, in batches.",
)
@click.option("--max-cost", type=DOLLARS, help="Dollars for --by, or for each tier of --shadow.")
@JSON
def audit(
    run: str | None,
    share: Decimal | None,
    by: str | None,
    passes: Decimal | None,
    shadow: Decimal | None,
    max_cost: Decimal | None,
    as_json: bool,
) -> None:
    """How the audits stand; with --share, chance draws more of a run's accepted answers.

    A secret hash of each answer decides, those to come included, so nobody can pick. A share can be
    raised, and never lowered. With --by opus a stronger tier looks first: people get all that it
    calls wrong, and a random part of what it passes. With --shadow 5% all of a random part is
    known, which is what rung evaluate needs to say how other policies would have done.
    """
    with database() as engine:
        drawn, judged, shadows, row = None, None, None, None
        if run is not None:
            with engine.connect() as connection:
                row = find_run(connection, run)
        if share is not None:
            drawn = _raise_share(engine, _needed(row, "--share"), share)
        if by is not None:
            request = JudgeRequest(tier=by, passes=passes, max_cost=max_cost)
            judged = _hand_to(engine, _needed(row, "--by"), request)
        if shadow is not None:
            shadows = _shadow(engine, _needed(row, "--shadow"), shadow, max_cost)
        with engine.connect() as connection:
            found = counts(connection, row.id if row is not None else None)
    if as_json:
        counted = [document(one) for one in found]
        print_json({"drawn": drawn, "judging": judged, "shadows": shadows, "runs": counted})
        return
    if drawn is not None:
        more = plural(drawn, "more answer")
        of_run = f" {quote(run)}" if run else ""
        talk(f"{more} to look at. Judge them with: rung review --audit{of_run}")
    _print(found)


def _needed(run: StoredRun | None, option: str) -> StoredRun:
    if run is None:
        raise click.UsageError(f"{option} needs a run.")
    return run


def _raise_share(engine: Engine, run: StoredRun, share: Decimal) -> int:
    """How many more answers that draws."""
    named = RunRef(id=run.id, name=run.name, lane=run.lane, priority=run.priority)
    return raise_share(engine, actor(), named, share)


def _hand_to(engine: Engine, run: StoredRun, request: JudgeRequest) -> dict[str, Any]:
    """To a tier, whose verdicts are a run of their own; or back to people."""
    with engine.begin() as connection:
        if request.tier == PERSON:
            back = give_back(connection, run.id)
            note_deed(connection, actor(), "judge", f"run {run.name}", back, by=PERSON)
            talk(
                f"{plural(back, 'answer')} back with people: rung review --audit {quote(run.name)}"
            )
            return {"by": PERSON, "answers": back}
        made, answers = ask_judge(connection, load_settings(), actor(), run, request)
    talk(
        f"{plural(answers, 'answer')} for {request.tier} to judge, in batches, as run {made.name}."
        f" What it calls wrong comes to you: rung review --audit {quote(run.name)}"
    )
    return {"by": request.tier, "answers": answers, "run": made.name}


def _shadow(
    engine: Engine, run: StoredRun, share: Decimal, max_cost: Decimal | None
) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        made = ask_shadows(connection, load_settings(), actor(), run, share, max_cost)
    for one, asked in made:
        talk(f"{plural(asked, 'message')} for {one.name}, in batches.")
    if not made:
        talk("Every tier has been asked about what was drawn.")
    talk(f"Judge what they say with: rung review --audit {quote(run.name)}")
    return [{"run": one.name, "messages": asked} for one, asked in made]


def document(one: AuditCounts) -> dict[str, Any]:
    """A run's audits as JSON."""
    return {name: getattr(one, name) for name in AuditCounts.__slots__}


def _print(found: list[AuditCounts]) -> None:
    if not found:
        talk("Nothing has been drawn. Draw some with: rung audit RUN --share 2%")
        return
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        *("run", "drawn", "with a tier", "passed by it", "open", "right", "wrong", "unsure"),
        *("judged twice", "differing"),
        box=None,
    )
    for one in found:
        numbers = (one.drawn, one.judging, one.passed, one.open, one.right, one.wrong, one.unsure)
        table.add_row(one.run, *(count(n) for n in (*numbers, one.twice, one.disagree)))
    console().print(table)
