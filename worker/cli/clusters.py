"""`rung clusters`: messages that say almost the same, and one verdict for all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click
from sqlalchemy import Connection

from models.vocabulary import JobState, Verdict
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.person import actor
from worker.domain.near_duplicates import Cluster
from worker.domain.near_duplicates import clusters as put_together
from worker.domain.text import terminal_safe
from worker.domain.wording import ago, plural, state_word
from worker.errors import UsageError
from worker.runs.alike import verdicts_on
from worker.store.actions.reviews import Judged
from worker.store.actions.verdict_sheets import give_verdicts
from worker.store.reading.clusters import ComparedText, to_compare
from worker.store.reading.receipts import find_job
from worker.store.runs import find_run

WORDS = 100
"""Characters of the message that stands for its cluster, with --text."""


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option("--review", is_flag=True, help="Only what waits for a person.")
@click.option(
    "--least",
    type=click.IntRange(min=2),
    default=3,
    show_default=True,
    help="Messages in a cluster, at the least.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Clusters, at the most.",
)
@click.option("--text", "with_text", is_flag=True, help="The beginning of what they say.")
@click.option("--accept", metavar="JOB", help="All in review that are like it may go out.")
@click.option("--reject", metavar="JOB", help="None in review that is like it goes out.")
@click.option("--reason", help="Why, in a few words, for --reject.")
@JSON
def clusters(
    run: str | None,
    review: bool,
    least: int,
    limit: int,
    with_text: bool,
    accept: str | None,
    reject: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """What broke today: near-duplicates among the newest 10,000 messages, or among a run's.

    A view for people. Every message is answered by itself all the same; what waits in review takes
    one verdict for all that are alike.
    """
    if accept is not None and reject is not None:
        raise UsageError("One verdict at a time: --accept or --reject.")
    judged = accept if accept is not None else reject
    with database() as engine:
        with engine.connect() as connection:
            run_id = int(find_run(connection, run).id) if run is not None else None
            if judged is not None:
                verdict = Verdict.ACCEPT if accept is not None else Verdict.REJECT
                sheet = _sheet(connection, run_id, judged, verdict, reason)
            else:
                rows = {row.id: row for row in to_compare(connection, run_id, review=review)}
        if judged is not None:
            given = give_verdicts(engine, actor(), sheet)
            talk(f"{plural(given, 'job')}: {verdict}.")
            return
    found = put_together(((row.id, row.text) for row in rows.values()), least)[:limit]
    if as_json:
        print_json([document(one, rows, with_text=with_text) for one in found])
        return
    _print(found, rows, with_text=with_text)


def _sheet(
    connection: Connection, run_id: int | None, job: str, verdict: Verdict, reason: str | None
) -> list[tuple[int, Judged]]:
    """The verdict on everything in review that is like the job, itself included."""
    like = Judged(job_id=find_job(connection, job), verdict=verdict, reason=reason)
    if found := verdicts_on(connection, run_id, like):
        return found
    raise UsageError(f"Job {job} does not wait for a verdict.", mend="rung clusters --review")


def document(one: Cluster, rows: Mapping[int, ComparedText], *, with_text: bool) -> dict[str, Any]:
    """A cluster as JSON."""
    members = [rows[job] for job in one.members]
    found: dict[str, Any] = {
        "messages": len(members),
        "like": members[0].name,
        "job": one.first,
        "states": dict(Counter(row.state for row in members)),
        "first": min(row.received for row in members).isoformat(),
        "last": max(row.received for row in members).isoformat(),
        "jobs": list(one.members),
    }
    return found | ({"text": members[0].text} if with_text else {})


def _print(found: Sequence[Cluster], rows: Mapping[int, ComparedText], *, with_text: bool) -> None:
    if not found:
        talk("No messages are so much alike.")
        return
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "messages", "like", "states", "since", *(["text"] if with_text else []), box=None
    )
    for one in found:
        members = [rows[job] for job in one.members]
        states = Counter(row.state for row in members).most_common()
        said = [terminal_safe(members[0].text[:WORDS])] if with_text else []
        table.add_row(
            f"{len(members):,}",
            terminal_safe(members[0].name),
            ", ".join(f"{count:,} {state_word(state)}" for state, count in states),
            ago(min(row.received for row in members)),
            *said,
        )
    console().print(table)
    if any(rows[job].state == JobState.REVIEW for one in found for job in one.members):
        talk(
            "One verdict for all that wait: rung clusters --accept JOB, or --reject JOB"
            " --reason WHY"
        )
