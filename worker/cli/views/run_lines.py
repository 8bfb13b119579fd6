"""A run as lines for a person: what `rung status` prints of each."""

import sys
import textwrap
from collections.abc import Sequence
from decimal import Decimal
from shutil import get_terminal_size

from worker.cli.speech.output import SIMULATED, echo
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars, percent
from worker.store.reading.batches import OpenBatch, together
from worker.store.reading.run_standing import RunStanding

INDENT = " " * 14


def print_run(
    found: RunStanding,
    outlook: str,
    troubles: Sequence[str] = (),
    batches: Sequence[OpenBatch] = (),
    *,
    simulated: bool = False,
) -> None:
    """A run for a person; `outlook` says whether it will be done in time, and `simulated` whether
    what it will call next is."""
    echo(f"{found.name}: {found.state_word}, {found.ended:,} of {found.total:,} done")
    _field("outlook", outlook)
    _field("jobs", ", ".join(found.state_words) or "none")
    tiers = [f"{jobs:,} {tier}" for tier, jobs in found.tiers.items()]
    _field("tiers", ", ".join(tiers) or "none yet")
    _field("escalations", f"{found.escalations:,}, calls {found.calls:,}")
    cap = f" of {dollars(found.cap)}" if found.cap is not None else ""
    held = f", {dollars(found.reserved)} reserved" if found.reserved else ""
    _field("spent", f"{dollars(found.spent)}{cap}{held}{share_of(found.spent, found.cap)}")
    if words := together(batches, found).words:
        _field("batches", words)
    for batch in batches:
        if batch.error:
            _field("trouble", f"batch {batch.batch}: {batch.error}")
    for trouble in troubles:
        _field("trouble", trouble)
    if found.raises:
        _field("go on with", found.go_on_with)
    if found.state_reason and found.state != "paused":
        _field("note", found.state_reason)
    if found.simulated or (simulated and not found.over):
        echo(f"  {SIMULATED}")


def _field(name: str, words: str) -> None:
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    for line in field_lines(name, terminal_safe(words), width):
        echo(line)


def field_lines(name: str, words: str, width: int | None) -> list[str]:
    """A named line. On a terminal of `width` characters a long one is broken between its words,
    below where it began; what a program reads (None) is one line."""
    line = f"  {name:<11} {words}"
    if width is None:
        return [line]
    return textwrap.wrap(
        line,
        max(width, 2 * len(INDENT)),
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def share_of(spent: Decimal, cap: Decimal | None) -> str:
    """`, 83 % of the budget`, where there is one and something is spent."""
    return f", {percent(spent / cap)} of the budget" if cap and spent else ""
