"""What labelling several messages in one routing call saves, and what it costs in agreement.

    python -m benchmarks.classify [FILE] [--limit N] [--json]

Only the routing calls are made (the tiers are paused). The saving is arithmetic on real prompts,
messages and prices. The agreement is NOT a measurement of anything: the simulator passes over 1 %
and labels 5 % otherwise when it is asked for several at once, because it was told to.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Row, text

from benchmarks.backlogs import IN_FLIGHT, hand_in, markdown, records
from benchmarks.house import House, house
from benchmarks.services import LOOK_EVERY_S
from worker.config.policies import policy_named
from worker.domain.wording import percent
from worker.store.actions import holds
from worker.store.audit import Actor

SIZES = (1, 5, 10, 20)
WITHIN_S = 1_800.0
HEADS = ("messages a call", "requests", "asked again", "spend", "÷ alone", "same label as alone")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One batch size's figures."""

    together: int
    messages: int
    requests: int
    again: int
    usd: Decimal
    same: int
    failed: int
    """Messages whose request failed and was charged at worst case: the machine was too slow."""

    def row(self, alone: Decimal) -> tuple[str, ...]:
        """For the table; `alone` is the spend of one message a call."""
        return (
            str(self.together),
            f"{self.requests:,}",
            f"{self.again:,}",
            f"${self.usd:.4f}",
            percent(self.usd / alone),
            percent(self.same / self.messages, 1),
        )


def measure(home: House, together: int, path: Path | None, limit: int | None) -> Labelled:
    """Labels the backlog, so many messages a call."""
    ladder = policy_named(home.settings, "ladder")
    policy = replace(ladder, start=replace(ladder.start, classify_batch=together))
    run = hand_in(home, f"together-{together}", policy, records(path, limit))
    deadline = time.monotonic() + WITHIN_S
    with home.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(UNLABELLED, {"run": run.id}).scalar_one():
            if time.monotonic() > deadline:
                raise TimeoutError("some messages are still without a label")
            time.sleep(LOOK_EVERY_S)
        row: Row[Any] = connection.execute(FIGURES, {"run": run.id}).one()
    return Labelled(together, row.messages, row.requests, row.again, row.usd, row.same, row.failed)


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--limit", type=int, help="Only so many messages.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def main(file: Path | None, limit: int | None, as_json: bool) -> None:
    """Saving and agreement by messages a call."""
    with house(latency_scale=0, in_flight=IN_FLIGHT) as home:
        for tier in home.settings.tiers:
            holds.pause_queue(home.engine, Actor("benchmark"), tier, "only labels are wanted")
        found = [measure(home, size, file, limit) for size in SIZES]
    if failed := sum(one.failed for one in found):
        Console(stderr=True).print(f"{failed} failed, charged at worst case: measure again")
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2, default=float))
        return
    click.echo(f"{found[0].messages:,} messages, SIMULATED Claude\n")
    click.echo(markdown(HEADS, [one.row(found[0].usd) for one in found]))


UNLABELLED = text("SELECT count(*) FROM jobs WHERE run_id = :run AND state = 'queued'")
FIGURES = text("""
SELECT count(DISTINCT j.id) AS messages, count(DISTINCT c.request_id) AS requests,
  count(*) FILTER (WHERE a.decision = 'again') AS again,
  count(*) FILTER (WHERE c.state <> 'done') AS failed, coalesce(sum(c.cost), 0) AS usd,
  count(DISTINCT j.id) FILTER (WHERE j.difficulty = alone.difficulty) AS same
FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
JOIN attempts AS a ON a.job_id = j.id AND a.stage = 'route'
LEFT JOIN calls AS c ON c.job_id = a.job_id AND c.fence = a.fence
LEFT JOIN LATERAL (
  SELECT o.difficulty FROM jobs AS o JOIN messages AS n ON n.id = o.message_id
  JOIN runs AS r ON r.id = o.run_id
  WHERE r.name = 'together-1' AND n.external_id = m.external_id
) AS alone ON true
WHERE j.run_id = :run
""")


if __name__ == "__main__":
    sys.exit(main())
