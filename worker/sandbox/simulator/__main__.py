"""`python -m worker.sandbox.simulator`: Claude's API on loopback, for any Anthropic client."""

import json
import sys
from pathlib import Path

import click
import uvloop

from worker.sandbox.home import owner_only
from worker.sandbox.simulator.limits import DEFAULTS, SimulatedLimits
from worker.sandbox.simulator.moods import Moods
from worker.sandbox.simulator.server import address_of, listen, make_server
from worker.sandbox.simulator.state import State


@click.command()
@click.option("--port", default=0, help="Port on 127.0.0.1; 0 takes any that is free.")
@click.option("--seed", default=7, help="Other seed, other answers; the same seed, the same.")
@click.option("--latency-scale", default=1.0, help="Multiplies every wait; 0 answers at once.")
@click.option("--limits/--no-limits", default=True, help="Enforce rate limits.")
@click.option(
    "--limit",
    "table",
    multiple=True,
    metavar="FAMILY=RPM,ITPM,OTPM",
    help="Another limit for a family of models.",
)
@click.option("--moods", "moods_file", type=click.Path(exists=True, path_type=Path))
@click.option("--address-file", type=click.Path(path_type=Path), help="Where to write the address.")
def main(
    port: int,
    seed: int,
    latency_scale: float,
    limits: bool,
    table: tuple[str, ...],
    moods_file: Path | None,
    address_file: Path | None,
) -> None:
    """Serve a simulated Claude until stopped."""
    moods = Moods()
    if moods_file is not None:
        moods.replace(json.loads(moods_file.read_text("utf-8")))
    enforced = {**DEFAULTS, **dict(map(_limit, table))} if limits else None
    state = State(
        seed=seed, latency_scale=latency_scale, limits=SimulatedLimits(enforced), moods=moods
    )
    listener = listen(port)
    if address_file is not None:
        with open(address_file, "w", encoding="utf-8", opener=owner_only) as file:
            file.write(address_of(listener))
    click.echo(f"Simulated Claude listens on {address_of(listener)}", file=sys.stderr)
    server = make_server(state)
    uvloop.run(server.serve(sockets=[listener]))


def _limit(words: str) -> tuple[str, tuple[int, int, int]]:
    """`haiku=600,60000,6000` as a row of the table."""
    family, _, figures = words.partition("=")
    try:
        requests, taken, given = (int(figure) for figure in figures.split(","))
    except ValueError:
        raise click.BadParameter(f"{words!r} is not FAMILY=RPM,ITPM,OTPM") from None
    return family, (requests, taken, given)


if __name__ == "__main__":
    main()
