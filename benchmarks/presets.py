"""What each preset spends on a backlog, against all on the top tier, with a SIMULATED Claude.

    python -m benchmarks.presets [FILE] [--limit N] [--only NAME…] [--json]

The sample of 1,000 real messages by default. Prices are Anthropic's and token counts those of the
real prompts and messages; which answers are accepted, and so how many messages climb, is made up by
the simulator and says nothing about real models. Figures are those of the ledger.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Row, text

from benchmarks.backlogs import IN_FLIGHT, hand_in, markdown, records
from benchmarks.house import House, house
from worker.config.policies import policy_named
from worker.domain.wording import percent

PRESETS = (
    "single:opus",
    "single:sonnet",
    "single:haiku",
    "fallback",
    "route",
    "escalate",
    "ladder",
)
WITHIN_S = 3_600.0
HEADS = (
    "policy", "spend", "÷ all Opus", "calls a message", "answered", "to a person",
    "ended on haiku", "sonnet", "opus",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spent:
    """One preset's figures; dollars for the whole backlog."""

    policy: str
    messages: int
    usd: Decimal
    calls: int
    answered: int
    review: int
    on: dict[str, int]
    wall_s: float

    def row(self, opus: Decimal | None) -> tuple[str, ...]:
        """For the table; `opus` is what all on Opus spent in this same measurement."""
        return (
            f"`{self.policy}`",
            f"${self.usd:.2f}",
            percent(self.usd / opus) if opus else "–",
            f"{self.calls / self.messages:.2f}",
            percent(self.answered / self.messages, 1),
            percent(self.review / self.messages, 1),
            *(percent(self.on.get(tier, 0) / self.messages) for tier in IN_FLIGHT),
        )


def measure(home: House, policy: str, path: Path | None, limit: int | None) -> Spent:
    """Works the backlog off under one preset."""
    began = time.monotonic()
    chosen = policy_named(home.settings, policy)
    run = hand_in(home, policy.replace(":", "-"), chosen, records(path, limit))
    home.wait_for(run, within_s=WITHIN_S)
    with home.engine.connect() as connection:
        row: Row[Any] = connection.execute(FIGURES, {"run": run.id}).one()
    return Spent(
        policy, row.messages, row.usd, row.calls, row.answered, row.review, dict(row.ended),
        time.monotonic() - began,
    )  # fmt: skip


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--limit", type=int, help="Only so many messages.")
@click.option("--only", multiple=True, type=click.Choice(PRESETS))
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def main(file: Path | None, limit: int | None, only: tuple[str, ...], as_json: bool) -> None:
    """Spend and calls of each preset."""
    talk, found = Console(stderr=True), list[Spent]()
    with house(latency_scale=0, in_flight=IN_FLIGHT) as home:
        for policy in only or PRESETS:
            spent = measure(home, policy, file, limit)
            found.append(spent)
            talk.print(f"{policy}: ${spent.usd:.4f}, {spent.calls} calls, {spent.wall_s:.0f} s")
    if as_json:
        click.echo(json.dumps([asdict(spent) for spent in found], indent=2, default=float))
        return
    opus = next((spent.usd for spent in found if spent.policy == "single:opus"), None)
    click.echo(f"{found[0].messages:,} messages, SIMULATED Claude\n")
    click.echo(markdown(HEADS, [spent.row(opus) for spent in reversed(found)]))


FIGURES = text("""
SELECT (SELECT count(*) FROM jobs WHERE run_id = :run) AS messages,
  (SELECT sum(cost) FROM run_spend WHERE run_id = :run) AS usd,
  (SELECT sum(calls) FROM run_spend WHERE run_id = :run)::int AS calls,
  (SELECT count(*) FROM jobs WHERE run_id = :run AND state = 'answered') AS answered,
  (SELECT count(*) FROM jobs WHERE run_id = :run AND state = 'review') AS review,
  (SELECT jsonb_object_agg(tier, n) FROM (
    SELECT tier, count(*) AS n FROM jobs WHERE run_id = :run GROUP BY 1) AS t) AS ended
""")


if __name__ == "__main__":
    sys.exit(main())
