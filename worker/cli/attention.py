"""What `rung dead` and `rung review` share: causes, then the jobs."""

from collections.abc import Sequence
from dataclasses import asdict

from worker.cli.speech.context import database
from worker.cli.speech.output import console, print_json, talk
from worker.domain.text import terminal_safe
from worker.domain.wording import count, dollars, reason, span
from worker.store.reading.attention import GROUPED, Attention, Cause, Letter, causes, letters, total
from worker.store.runs import find_run


def list_jobs(
    state: str, run: str | None, limit: int, *, as_json: bool, nothing: str, decided: bool = True
) -> None:
    """Lists the jobs in `state`, newest first, by cause first; `decided` also those with a
    verdict."""
    with database() as engine, engine.connect() as connection:
        run_id = find_run(connection, run).id if run is not None else None
        wanted = Attention(state=state, run_id=run_id, decided=decided)
        grouped, jobs = causes(connection, wanted), letters(connection, wanted, limit)
        known = total(connection, state, run_id)
    if as_json:
        print_json({"causes": list(map(asdict, grouped)), "jobs": list(map(asdict, jobs))})
        return
    if not jobs:
        talk(nothing)
        return
    _print(grouped, jobs)
    if known > GROUPED:
        talk(f"Grouped are the newest {GROUPED:,} of {known:,}.")
    if (shown := min(known, sum(row.jobs for row in grouped))) > len(jobs):
        talk(f"{len(jobs):,} of {shown:,} jobs; see more with --limit.")


def _print(grouped: Sequence[Cause], jobs: Sequence[Letter]) -> None:
    from worker.cli.speech.tables import FittingTable

    out = console()
    table = FittingTable("jobs", "run", "cause", box=None, pad_edge=False)
    for row in grouped:
        table.add_row(count(row.jobs), row.run, terminal_safe(reason(row.reason) or "–"))
    out.print(table)
    out.print()
    table = FittingTable(
        "job", "message", "tier", "attempts", "cost", "cause", box=None, pad_edge=False
    )
    for job in jobs:
        table.add_row(
            str(job.job),
            f"{job.run}/{terminal_safe(job.external_id)}",
            job.tier or "–",
            str(job.attempts),
            dollars(job.cost_usd),
            terminal_safe(_standing(job)),
        )
    out.print(table)


def _standing(job: Letter) -> str:
    """Its verdict; or why it is here, and who has it before them."""
    if job.verdict is None and job.read_by is not None and job.read_since is not None:
        since = span((job.now - job.read_since).total_seconds())
        return f"{reason(job.reason) or '–'}; {job.read_by} reads it, {since}"
    return job.verdict or reason(job.reason) or "–"
