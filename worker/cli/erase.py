"""`rung purge` and `rung forget`: take text out of every table, and leave the figures."""

import click

from worker.cli.speech.context import database
from worker.cli.speech.options import JSON, YES
from worker.cli.speech.output import print_json, talk
from worker.cli.speech.person import actor, confirm
from worker.domain.spans import read_span
from worker.domain.wording import listed, plural
from worker.errors import UsageError
from worker.store.actions import erasure
from worker.store.actions.erasure import Erasure
from worker.store.actions.named_in_filters import runs_named

NAMED_SHOWN = 5
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say how many; change nothing.")
IDS = click.option(
    "--ids", is_flag=True, help="Put fingerprints in place of external ids: the rows look new then."
)


@click.command()
@click.option("--older-than", "age", required=True, help="30d, 36h: since the message came in.")
@IDS
@DRY_RUN
@YES
@JSON
def purge(age: str, ids: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase the text of old messages and of their answers; counts and costs stay.

    Messages with an open job are left alone.
    """
    span = read_span(age, "--older-than", mend="--older-than 30d")
    _carry_out(erasure.older_than(span, ids=ids), dry_run=dry_run, yes=yes, as_json=as_json)


@click.command()
@click.option("--customer", help="The customer's id, as in the backlog.")
@click.option("--external-id", help="One message's id.")
@click.option("--source", help="Only of this source, with --external-id.")
@IDS
@DRY_RUN
@YES
@JSON
def forget(
    customer: str | None,
    external_id: str | None,
    source: str | None,
    ids: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase what a customer wrote and was answered, in every run; counts and costs stay.

    Open jobs are cancelled. An answer in flight is paid for and recorded without its text.
    """
    if (customer is None) == (external_id is None):
        raise UsageError("Name a --customer or an --external-id.", mend="rung forget --help")
    if customer is not None:
        chosen = erasure.of_customer(customer, ids=ids)
    else:
        chosen = erasure.of_external_id(external_id or "", source, ids=ids)
    _carry_out(chosen, dry_run=dry_run, yes=yes, as_json=as_json)


def _carry_out(chosen: Erasure, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    with database() as engine:
        with engine.connect() as connection:
            found = erasure.count(connection, chosen)
        words = f"{plural(found['messages'], 'message')}, {plural(found['jobs'], 'job')}"
        if found["open_jobs"]:
            words += f" ({found['open_jobs']:,} open, and then cancelled)"
        if not dry_run and found["messages"]:
            confirm(f"Erase the text of {words}? Nothing brings it back.", yes)
            erased = erasure.erase(engine, actor(), chosen)
        else:
            erased = {}
        with engine.connect() as connection:
            named = runs_named(connection, chosen.identity) if chosen.identity else []
    if named:
        runs = listed(named[:NAMED_SHOWN]) + (" and others" if named[NAMED_SHOWN:] else "")
        of = f"run{'s' if named[1:] else ''} {runs}"
        talk(f"The name or key of {of} holds it and stays: a run is found by that.", fg="yellow")
    if as_json:
        document = {"action": chosen.action, "dry_run": dry_run, **found, "erased": erased}
        document |= {"runs_named": named}
        print_json(document)
    elif erased:
        talk(f"Erased the text of {words}. Backups and exported files are not Rung's to erase.")
    else:
        talk(f"Would erase the text of {words}." if dry_run else "Nothing to erase.")
