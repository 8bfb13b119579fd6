"""`rung replay RUN`: does the record explain itself?"""

from dataclasses import asdict

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json, talk
from worker.config.loading import load_settings
from worker.config.validators import load_validators
from worker.domain.policy_documents import from_document
from worker.domain.wording import plural
from worker.runs.replay import replay as recompute
from worker.store.reading.replay import decided_jobs
from worker.store.runs import find_run

SHOWN = 20
PATIENCE_S = 10.0
"""For a validator of one's own: what it once said in time, it may say again on a busy machine."""


@click.command()
@click.argument("run", shell_complete=RUN)
@JSON
@click.pass_context
def replay(ctx: click.Context, run: str, as_json: bool) -> None:
    """Recompute every decision of a run from what Postgres holds, and report differences.

    Nothing is asked of Claude. Exits 1 when a decision comes out otherwise now. All differences are
    counted; JSON holds the first 1,000 of them.
    """
    settings = load_settings()
    with database(settings) as engine:
        with engine.connect() as connection:
            found = find_run(connection, run)
        policy, validators = (
            from_document(found.policy),
            load_validators(settings, time_bound_s=PATIENCE_S),
        )
        outcome = recompute(decided_jobs(engine, found.id), policy, validators)
    if as_json:
        print_json({"run": found.name, **asdict(outcome)})
    else:
        for difference in outcome.differences[:SHOWN]:
            talk(
                f"job {difference.job}, attempt {difference.fence}: recorded"
                f" {difference.recorded}; now {difference.recomputed}",
                fg="red",
            )
        talk(
            f"{plural(outcome.decisions, 'decision')} of {plural(outcome.jobs, 'job')} replayed:"
            f" {plural(outcome.different, 'difference')}"
            f" ({plural(outcome.undecided, 'attempt')} decided nothing,"
            f" {plural(outcome.erased, 'job')} erased)."
        )
    ctx.exit(1 if outcome.different else 0)
