"""`python -m benchmarks.peers [--messages N]`: Rung beside what one would write without it.

Every peer answers the same messages, one call each, at the tier haiku, with so many calls in
flight, against the same simulator. Once to the end: CPU, wall time, memory. Once more until half of
the calls are made, then `kill -9`: how many of the answers that were paid for are there. What a
process spends before its first answer is measured with one message, and stands by itself. Rung's
figures are its worker's: Postgres and Redis are not in them, nor is the Redis of the Celery tasks.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.backlogs import markdown
from benchmarks.house import house
from benchmarks.peers.shared import requests_for
from benchmarks.peers.yard import IN_FLIGHT, Yard

OTHERS = {"async-batch-llm": 1, "flexllm": 0}
"""Packages made for this, and how many lines of their files are no answers."""
HEADS = ("", "CPU ms a message", "CPU s to start", "wall s", "memory MB", "kept of what was paid")


@click.command()
@click.option("--messages", default=2_000, help="So many.")
@click.option(
    "--others", help="A python that has async-batch-llm, flexllm and anthropic; left out without."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def main(messages: int, others: str | None, as_json: bool) -> None:
    """Rung beside what one would write without it."""
    in_flight = {"haiku": IN_FLIGHT, "sonnet": 1, "opus": 1}
    with (
        tempfile.TemporaryDirectory() as directory,
        house(latency_scale=0.2, in_flight=in_flight) as home,
    ):
        requests, start_s = requests_for(home, messages), home.worker_cpu_s()
        lines = [f"{json.dumps(request)}\n" for request in requests]
        (Path(directory) / "requests.asked").write_text("".join(lines), "utf-8")
        (Path(directory) / "one.asked").write_text(lines[0], "utf-8")
        yard = Yard(home, Path(directory), requests, start_s)
        found = [yard.script("loop"), yard.script("threads")]
        if others:
            for name, heads in OTHERS.items():
                script = Path(__file__).with_name(f"{name.replace('-', '_')}_run.py")
                found.append(yard.script(name, [others, str(script)], heads))
        found += [yard.tasks(), yard.rung()]
    if as_json:
        click.echo(json.dumps([asdict(peer) for peer in found], indent=2))
    else:
        click.echo(f"{messages:,} messages, one call each, SIMULATED Claude\n")
        click.echo(markdown(HEADS, [peer.row() for peer in found]))


if __name__ == "__main__":
    sys.exit(main())
