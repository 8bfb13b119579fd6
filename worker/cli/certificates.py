"""`rung certificates`: what has been certified, and how it bears up."""

from dataclasses import asdict
from typing import Any

import click

from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.cli.speech.person import actor
from worker.cli.views.certificate import print_stored
from worker.domain.proof.certificate_page import Issued
from worker.domain.wording import ago, certificate_word, percent
from worker.errors import UsageError
from worker.store.queue.certified import void
from worker.store.queue.vigils import lift
from worker.store.reading.certificates import certificate, days
from worker.store.reading.certificates import certificates as read


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
def certificates(ctx: click.Context, as_json: bool) -> None:
    """Every certificate with its state, the newest first."""
    if ctx.invoked_subcommand is not None:
        return
    with database() as engine, engine.connect() as connection:
        found = read(connection)
    if as_json:
        print_json([document(one) for one in found])
        return
    if not found:
        talk("Nothing has been certified. See: rung certify --help")
        return
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "no.", "claim", "tier", "at most", "covers", "state", "audits since", "issued", box=None
    )
    for one in found:
        table.add_row(
            str(one.id),
            one.claim + (" (REHEARSAL, simulated)" if one.rehearsal else ""),
            one.tier,
            percent(one.upper, 2),
            percent(one.coverage),
            certificate_word(one.state) + (f": {one.voided_by}" if one.voided_by else ""),
            f"{one.wrong} wrong of {one.audits}",
            ago(one.issued_at),
        )
    console().print(table)


@certificates.command(short_help="One certificate on a page that can be signed.")
@click.argument("number")
@JSON
def show(number: str, as_json: bool) -> None:
    """One certificate on a page that can be signed: claim, evidence, segments, what voids it."""
    with database() as engine, engine.connect() as connection:
        found = certificate(connection, number)
        history = days(connection, found.id)
    if as_json:
        print_json(document(found) | {"evidence": [asdict(day) for day in history]})
        return
    print_stored(found)


@certificates.command("void", short_help="End a certificate by hand, for good.")
@click.argument("number")
@click.option("--reason", required=True, help="Why it holds no more.")
def void_(number: str, reason: str) -> None:
    """End a certificate by hand, for good: what it let through climbs from now on."""
    with database() as engine, engine.begin() as connection:
        found = certificate(connection, number)
        if not void(connection, found.id, f"by {actor().name}: {reason}"):
            raise UsageError(f"Certificate {found.id} is void already: {found.voided_by}.")
    talk(f"Certificate {found.id} is void.")


@certificates.command("lift", short_help="End a doubt about a certificate by hand.")
@click.argument("number")
def lift_(number: str) -> None:
    """End a doubt by hand: the certified threshold holds again, and the watch starts anew."""
    with database() as engine, engine.begin() as connection:
        found = certificate(connection, number)
        lift(connection, actor(), found.id)
    talk(f"Certificate {found.id} holds at its threshold of {found.threshold} again.")


def document(one: Issued) -> dict[str, Any]:
    """A certificate as JSON."""
    return asdict(one)
