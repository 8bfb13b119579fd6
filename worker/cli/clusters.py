"""`rung clusters`: messages that say almost the same, and one verdict for all of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from sqlalchemy import Connection

from models.vocabulary import JobState, Verdict
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.person import actor
from worker.domain.text import terminal_safe
from worker.domain.wording import ago, plural, state_word
from worker.errors import UsageError
from worker.runs.alike import (
    AlikeMessages,
    alike,
    alike_and_waiting,
    catch_up,
    verdicts_on,
)
from worker.store.actions.reviews import Judged
from worker.store.actions.verdict_sheets import give_verdicts
from worker.store.reading.clusters import jobs_of
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
    """What broke today: near-duplicates among the newest 10,000 messages, or among a run's; with
    --review, among all that wait for a person.

    A view for people. Every message is answered by itself all the same; what waits in review takes
    one verdict for all that are alike.
    """
    if accept is not None and reject is not None:
        raise UsageError("One verdict at a time: --accept or --reject.")
    judged = accept if accept is not None else reject
    with database() as engine:
        if review or judged is not None:
            catch_up(engine)
        with engine.connect() as connection:
            run_id = int(find_run(connection, run).id) if run is not None else None
            if judged is not None:
                verdict = Verdict.ACCEPT if accept is not None else Verdict.REJECT
                sheet = _sheet(connection, run_id, judged, verdict, reason)
            elif review:
                found = alike_and_waiting(connection, run_id, least=least, most=limit)
                if as_json:
                    found = [_with_jobs(connection, run_id, one) for one in found]
            else:
                found = alike(connection, run_id, least=least, most=limit)
        if judged is not None:
            given = give_verdicts(engine, actor(), sheet)
            talk(f"{plural(given, 'job')}: {verdict}.")
            return
    if as_json:
        print_json([document(one, with_text=with_text) for one in found])
        return
    _print(found, with_text=with_text)


def _with_jobs(connection: Connection, run_id: int | None, one: AlikeMessages) -> AlikeMessages:
    return replace(one, jobs=jobs_of(connection, run_id, one.cluster))


def _sheet(
    connection: Connection, run_id: int | None, job: str, verdict: Verdict, reason: str | None
) -> list[tuple[int, Judged]]:
    """The verdict on everything in review that is like the job, itself included."""
    like = Judged(job_id=find_job(connection, job), verdict=verdict, reason=reason)
    if found := verdicts_on(connection, run_id, like):
        return found
    raise UsageError(f"Job {job} does not wait for a verdict.", mend="rung clusters --review")


def document(one: AlikeMessages, *, with_text: bool) -> dict[str, Any]:
    """A cluster as JSON."""
    found: dict[str, Any] = {
        "messages": one.messages,
        "like": one.message.name,
        "job": one.message.id,
        "states": dict(one.states),
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "jobs": list(one.jobs),
    }
    return found | ({"text": one.message.text} if with_text else {})


def _print(found: Sequence[AlikeMessages], *, with_text: bool) -> None:
    if not found:
        talk("No messages are so much alike.")
        return
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "messages", "like", "states", "since", *(["text"] if with_text else []), box=None
    )
    for one in found:
        said = [terminal_safe(one.message.text[:WORDS])] if with_text else []
        table.add_row(
            f"{one.messages:,}",
            terminal_safe(one.message.name),
            ", ".join(f"{count:,} {state_word(state)}" for state, count in one.states.items()),
            ago(one.first),
            *said,
        )
    console().print(table)
    if any(JobState.REVIEW in one.states for one in found):
        talk(
            "One verdict for all that wait: rung clusters --accept JOB, or --reject JOB"
            " --reason WHY"
        )
