"""What `rung dead` and `rung review` share: causes, then the jobs."""

from typing import Any

from worker.cli.speech.context import database
from worker.cli.speech.output import console, print_json, talk
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars
from worker.store.reading.attention import causes, jobs_in
from worker.store.runs import find_run


def list_jobs(
    state: str,
    run: str | None,
    limit: int,
    as_json: bool,
    nothing: str,
    *,
    decided: bool = True,
) -> None:
    """Lists the jobs in `state`, grouped by cause first; `decided` also those with a verdict."""
    with database() as engine, engine.connect() as connection:
        run_id = find_run(connection, run).id if run is not None else None
        grouped = causes(connection, state, run_id, decided=decided)
        jobs = jobs_in(connection, state, run_id, limit, decided=decided)
    if as_json:
        print_json({"causes": grouped, "jobs": jobs})
    elif not jobs:
        talk(nothing)
    else:
        _print(grouped, jobs)


def _print(grouped: list[dict[str, Any]], jobs: list[dict[str, Any]]) -> None:
    from rich.table import Table

    out = console()
    table = Table("jobs", "run", "cause", box=None, pad_edge=False)
    for row in grouped:
        table.add_row(str(row["jobs"]), row["run"], terminal_safe(row["reason"] or "–"))
    out.print(table)
    out.print()
    table = Table("job", "message", "tier", "attempts", "cost", "cause", box=None, pad_edge=False)
    for job in jobs:
        table.add_row(
            str(job["job"]),
            f"{job['run']}/{terminal_safe(job['external_id'])}",
            job["tier"] or "–",
            str(job["attempts"]),
            dollars(job["cost_usd"]),
            terminal_safe(job["verdict"] or job["reason"] or "–"),
        )
    out.print(table)
    shown = sum(row["jobs"] for row in grouped)
    if shown > len(jobs):
        talk(f"{len(jobs)} of {shown} jobs; see more with --limit.")
