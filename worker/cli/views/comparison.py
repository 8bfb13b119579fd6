"""Two policies side by side, and two replies without whose they are."""

from worker.cli.speech.output import SIMULATED, console, talk
from worker.domain.side_by_side import SideBySide, SideSums
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars, percent
from worker.store.reading.blind_pairs import BlindPair


def print_side_by_side(found: SideBySide) -> None:
    """A table, then the sentence."""
    from worker.cli.speech.tables import FittingTable

    out = console()
    table = FittingTable("", terminal_safe(found.a.run), terminal_safe(found.b.run), box=None)
    for side in (1, 2):
        table.columns[side].justify = "right"
    each = max(found.messages, 1)
    sides = (found.a, found.b)
    table.add_row("answered", *(f"{side.answered:,}" for side in sides))
    table.add_row("", *(percent(side.answered / each) for side in sides))
    table.add_row("for a person", *(f"{found.messages - side.answered:,}" for side in sides))
    for tier in found.tiers:
        table.add_row(f"  by {tier}", *(f"{side.tiers[tier]:,}" for side in sides))
    table.add_row("mean confidence", *map(_confidence, sides))
    table.add_row("cost", *(dollars(side.cost) for side in sides))
    table.add_row("for a thousand", *(dollars(side.cost / each * 1_000) for side in sides))
    if found.verdicts.pairs:
        table.add_row("right, judged blind", *(f"{one:,}" for one in found.right_of))
        table.add_row("", *[f"of {found.verdicts.pairs:,}"] * 2)
    out.print(table)
    if found.unfinished:
        out.print(f"{found.unfinished:,} have not ended in both, and are left out.")
    out.print()
    out.print(found.sentence, markup=False, soft_wrap=True)
    if found.simulated:
        out.print(SIMULATED, style="yellow")


def show_pair(pair: BlindPair, *, turned: bool, keys: str) -> None:
    """Message and replies alone; `turned` shows that of B first."""
    out = console()
    out.rule(style="dim")
    if pair.subject:
        out.print(terminal_safe(pair.subject), style="bold", markup=False)
    out.print(terminal_safe(pair.message), markup=False)
    replies = (pair.reply_b, pair.reply_a) if turned else (pair.reply_a, pair.reply_b)
    for number, reply in enumerate(replies, 1):
        out.print(f"\n{number}", style="cyan")
        out.print(terminal_safe(reply), markup=False)
    talk(f"{keys} ({pair.left:,} left)", fg="cyan")


def _confidence(side: SideSums) -> str:
    return "–" if side.confidence is None else f"{side.confidence:.2f}"
