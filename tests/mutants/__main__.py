"""`python -m tests.mutants [AREA…]`: single faults, each alone, and the tests that should see it.

Prints a table, and each fault that no test saw. Exits 1 when one of these is not on the list of
`survivors`, or fewer than 95 of 100 were seen. What became of each stays in a file; `--go-on` runs
those that it does not call seen, `--table` prints the table of it.
"""

import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from tests.mutants import survivors
from tests.mutants.every import all_faults
from tests.mutants.kept import Kept, rows, table
from tests.mutants.running import NO_END, Fault, Outcome, ready_servers
from tests.mutants.streams import run_streams
from tests.support import servers

WANTED = 0.95
FILE = Path("bench-results") / "mutants.jsonl"
LOADED = (
    "worker.lanes.process",
    "worker.cli.main",
    "worker.dashboard.app",
    "worker.sandbox.simulator.server",
    "tests.support.nights",
    "tests.support.promises",
    "tests.support.checker",
    "tests.support.deciding",
    "tests.support.web",
    "tests.support.servers",
    "hypothesis",
)
"""What most tests need is loaded once, before anything is forked."""


@click.command()
@click.argument("wanted", nargs=-1)
@click.option("--side-by-side", default=os.cpu_count() or 2, show_default=True)
@click.option("--like", default="", help="Only faults whose name contains this.")
@click.option("--list", "only_list", is_flag=True, help="Say which there are, and run none.")
@click.option("--into", default=FILE, type=Path, show_default=True, help="What became of them.")
@click.option("--go-on", is_flag=True, help="Run only what the file does not call seen.")
@click.option("--table", "only_table", is_flag=True, help="Print the file's table, and run none.")
@click.pass_context
def main(
    ctx: click.Context,
    wanted: tuple[str, ...],
    side_by_side: int,
    like: str,
    only_list: bool,
    into: Path,
    go_on: bool,
    only_table: bool,
) -> None:
    """Single faults of AREAs (all without one)."""
    talk = Console(soft_wrap=True, highlight=False, file=sys.__stdout__)
    kept = Kept(into)
    faults = [
        fault
        for fault in all_faults()
        if (not wanted or fault.area in wanted) and like in fault.name
    ]
    if only_list:
        for fault in faults:
            talk.print(f"{fault.area}: {fault.name}", markup=False)
        return
    if not only_table:
        began = time.monotonic()
        _run(talk, faults, kept, side_by_side, go_on=go_on)
        talk.print(f"{(time.monotonic() - began) / 60:.1f} minutes, {side_by_side} side by side")
    ctx.exit(_told(talk, faults, kept.outcomes()))


def _run(
    talk: Console, faults: Sequence[Fault], kept: Kept, side_by_side: int, *, go_on: bool
) -> None:
    """Runs them. Those that time alone saw are run again when nothing runs beside them."""
    old = kept.outcomes()
    before = {name: outcome.by for name, outcome in old.items()}
    settled = {name for name, one in old.items() if one.is_seen or survivors.why(name)}
    asked = [fault for fault in faults if not go_on or fault.name not in settled]
    anew = {fault.name for fault in asked}
    kept.leave(outcome for outcome in old.values() if outcome.name not in anew)
    told = 0

    def tell(outcome: Outcome) -> None:
        nonlocal told
        told += 1
        kept.add(outcome)
        words = f"{told}/{len(asked)} {outcome.seconds:.1f} s {outcome.name}: {outcome.said}"
        talk.print(words, markup=False)

    for name in LOADED:
        importlib.import_module(name)
    run = ready_servers()
    try:
        run_streams(asked, before, tell, side_by_side)
        came_to = kept.outcomes()
        late = [one for one in asked if (it := came_to.get(one.name)) and it.how == NO_END]
        if late and side_by_side > 1:
            run_streams(late, before, tell, 1)
    finally:
        servers.end(run)


def _told(talk: Console, faults: Sequence[Fault], outcomes: dict[str, Outcome]) -> int:
    """Prints the table; the status to exit with."""
    talk.print(table(faults, outcomes), markup=False)
    found = [outcomes[fault.name] for fault in faults if fault.name in outcomes]
    for outcome in found:
        if outcome.is_seen:
            continue
        why = survivors.why(outcome.name) or "NO REASON"
        talk.print(f"not seen: {outcome.name}: {why}", markup=False)
    seen = sum(outcome.is_seen for outcome in found)
    share = seen / max(len(found), 1)
    talk.print(f"{seen} of {len(found)} faults seen, {share:.1%}")
    return 1 if rows(faults, outcomes)["**all**"].unseen or share < WANTED else 0


if __name__ == "__main__":
    main()
