"""`rung audit`: how many accepted answers chance chooses to be looked at."""

from decimal import Decimal
from typing import Any

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.person import actor
from worker.domain.wording import plural
from worker.store.actions.audits import raise_share
from worker.store.reading.audits import AuditCounts, counts
from worker.store.runs import RunRef, find_run


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
        if not 0 < share <= 1:
            self.fail(f"{value!r} is no share: write 2% or 0.02.", param, ctx)
        return share


SHARE = Share()


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--share", type=SHARE, help="Of its accepted answers: 2% or 0.02.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def audit(run: str | None, share: Decimal | None, as_json: bool) -> None:
    """How the audits stand; with --share, chance draws more of a run's accepted answers.

    A secret hash of each answer decides, those to come included, so nobody can pick. A share can be
    raised, and never lowered.
    """
    with database() as engine:
        drawn, run_id = None, None
        with engine.connect() as connection:
            if run is not None:
                row = find_run(connection, run)
                run_id = int(row.id)
        if share is not None:
            if run is None:
                raise click.UsageError("--share needs a run.")
            drawn = raise_share(
                engine, actor(), RunRef(row.id, row.name, row.lane, row.priority), share
            )
        with engine.connect() as connection:
            found = counts(connection, run_id)
    if as_json:
        print_json({"drawn": drawn, "runs": [document(one) for one in found]})
        return
    if drawn is not None:
        talk(f"{plural(drawn, 'more answer')} to look at. Judge them with: rung review --audit")
    _print(found)


def document(one: AuditCounts) -> dict[str, Any]:
    """A run's audits as JSON."""
    return {name: getattr(one, name) for name in AuditCounts.__slots__}


def _print(found: list[AuditCounts]) -> None:
    if not found:
        talk("Nothing has been drawn. Draw some with: rung audit RUN --share 2%")
        return
    from rich.table import Table

    table = Table(
        "run", "drawn", "open", "right", "wrong", "unsure", "judged twice", "differing", box=None
    )
    for one in found:
        table.add_row(
            one.run,
            *(str(n) for n in (one.drawn, one.open, one.right, one.wrong, one.unsure)),
            str(one.twice),
            str(one.disagree),
        )
    console().print(table)
