"""`rung cost RUN`: the bill."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import SIMULATED, console, print_json, talk
from worker.config.loading import load_settings
from worker.domain.bill import Bill, SpendLine, comparable
from worker.domain.wording import dollars, percent
from worker.store.reading.bill import bill_of
from worker.store.reading.standings import standing_of
from worker.store.runs import find_run

if TYPE_CHECKING:
    from rich.console import Console


COLUMNS = (
    "tier", "for", "model", "lane", "calls", "input", "cached", "written", "output", "cost",
)  # fmt: skip


@click.command()
@click.argument("run", shell_complete=RUN)
@JSON
def cost(run: str, as_json: bool) -> None:
    """The bill of a run, against all on the top tier and all on the cheapest."""
    settings = load_settings()
    with database(settings) as engine, engine.connect() as connection:
        found = find_run(connection, run)
        bill, standing = bill_of(connection, found, settings), standing_of(connection, found.id)
    if as_json:
        progress = {"ended": standing.ended, "total": standing.total}
        print_json(as_document(bill) | progress)
        return
    if standing.finished_at is None:
        talk(f"So far: {standing.ended:,} of {standing.total:,} are done.", fg="yellow")
    print_bill(bill, compared=comparable(standing.ended, standing.total))


def as_document(bill: Bill) -> dict[str, Any]:
    """The bill as JSON."""
    return {
        "run": bill.run,
        "simulated": bill.simulated,
        "total_usd": bill.total,
        "lines": [
            {
                "tier": line.tier,
                "purpose": line.purpose,
                "model": line.model,
                "lane": line.lane,
                "state": line.state,
                "calls": line.calls,
                "input_tokens": line.usage.input_tokens,
                "cache_read_tokens": line.usage.cache_read_tokens,
                "cache_write_5m_tokens": line.usage.cache_write_5m_tokens,
                "cache_write_1h_tokens": line.usage.cache_write_1h_tokens,
                "output_tokens": line.usage.output_tokens,
                "cost_usd": line.cost,
            }
            for line in bill.lines
        ],
        "classifying_usd": bill.classifying,
        "answering_usd": bill.answering,
        "checking_usd": bill.checking,
        "escalating_usd": bill.escalating,
        "lost_usd": bill.lost,
        "cache_saved_usd": bill.cache_saved,
        "batch_saved_usd": bill.batch_saved,
        "hurry_cost_usd": bill.hurry_cost,
        "resolved": bill.resolved,
        "per_resolved_usd": bill.per_resolved,
        "all_on_top": {"tier": bill.top.tier, "cost_usd": bill.top.cost},
        "all_on_cheapest": {"tier": bill.cheapest.tier, "cost_usd": bill.cheapest.cost},
        "saved_against_top": bill.saved_against_top,
        "unpriced_calls": bill.unpriced_calls,
        "assumption": bill.assumption,
    }


def print_bill(bill: Bill, *, compared: bool = True) -> None:
    """The bill for a person; `compared` with one tier alone once enough has ended."""
    from worker.cli.speech.tables import FittingTable

    out = console()
    title = f"The bill of run {bill.run}" + (" (simulated)" if bill.simulated else "")
    table = FittingTable(
        title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in COLUMNS:
        is_word = name in ("tier", "for", "model", "lane")
        table.add_column(name, justify="left" if is_word else "right", overflow="fold")
    for (tier, purpose, state, model, lane), lines in _grouped(bill.lines).items():
        what = purpose if state == "done" else f"{purpose} ({state})"
        cached = sum(line.usage.cache_read_tokens for line in lines)
        written = sum(
            line.usage.cache_write_5m_tokens + line.usage.cache_write_1h_tokens for line in lines
        )
        table.add_row(
            tier,
            what,
            model,
            lane,
            f"{sum(line.calls for line in lines):,}",
            short(sum(line.usage.input_tokens for line in lines)),
            short(cached),
            short(written),
            short(sum(line.usage.output_tokens for line in lines)),
            dollars(sum((line.cost for line in lines), Decimal(0))),
        )
    if bill.lines:
        table.add_row("total", *[""] * 8, dollars(bill.total), style="bold")
        out.print(table)
        out.print()
        _print_parts(out, bill)
        out.print()
    else:
        out.print(f"{title}: nothing. No call was made in it.")
    for words in sentences(bill, compared):
        out.print(words)
    if bill.simulated:
        out.print(SIMULATED, style="yellow")


def _print_parts(out: "Console", bill: Bill) -> None:
    """Where the money went: the parts add up to the total."""
    from worker.cli.speech.tables import FittingTable

    parts = (
        ("classifying", bill.classifying, ""),
        ("answering", bill.answering, _past(bill)),
        ("checking", bill.checking, ""),
        ("lost", bill.lost, "calls that brought nothing and may be billed"),
    )
    table = FittingTable(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify, no_wrap=justify == "right")
    for name, amount, words in parts:
        share = amount / bill.total if bill.total else Decimal(0)
        table.add_row(name, dollars(amount), percent(share), words)
    out.print(table)


def _past(bill: Bill) -> str:
    return f"of it {dollars(bill.escalating)} for answers that were climbed past or not good enough"


def short(tokens: int) -> str:
    """Tokens in few characters: the JSON has every one."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if tokens >= size:
            number = tokens / size
            return f"{number:.0f}{unit}" if number >= 100 else f"{number:.1f}{unit}"
    return str(tokens)


def _grouped(lines: Iterable[SpendLine]) -> dict[tuple[str, ...], list[SpendLine]]:
    groups: dict[tuple[str, ...], list[SpendLine]] = {}
    for line in lines:
        key = (line.tier, line.purpose.value, line.state.value, line.model, line.lane.value)
        groups.setdefault(key, []).append(line)
    return groups


def _written(bill: Bill) -> str:
    """`, with 2,000 tokens written to it for five minutes and 800 for an hour`."""
    kept = {
        "five minutes": sum(line.usage.cache_write_5m_tokens for line in bill.lines),
        "an hour": sum(line.usage.cache_write_1h_tokens for line in bill.lines),
    }
    first, *more = [(count, words) for words, count in kept.items() if count] or [(0, "")]
    if not first[0]:
        return ""
    words = f", with {first[0]:,} tokens written to it for {first[1]}"
    return words + "".join(f" and {count:,} for {span}" for count, span in more)


def sentences(bill: Bill, compared: bool) -> Iterable[str]:
    """What the bill comes to, in words."""
    if bill.per_resolved is not None:
        yield (
            f"{bill.resolved:,} messages resolved, {dollars(bill.per_resolved)} each"
            f" ({dollars(bill.per_resolved * 1_000)} a thousand)."
        )
    if compared:
        yield from _comparisons(bill)
    else:
        yield "Too little has ended to compare it with one tier alone."
    if not bill.lines:
        return
    if bill.cache_saved >= 0:
        yield f"The prompt cache saved {dollars(bill.cache_saved)}{_written(bill)}."
    else:
        yield (
            f"The prompt cache cost {dollars(-bill.cache_saved)} more than its reads saved"
            f"{_written(bill)}: it pays from the second message on that shares a prompt."
        )
    if bill.batch_saved:
        yield f"The batch lane saved {dollars(bill.batch_saved)}."
    if bill.hurry_cost:
        yield (
            f"Calls that left the batch lane for the deadline cost {dollars(bill.hurry_cost)} more"
            " than batches would have."
        )
    if bill.unpriced_calls:
        yield f"{bill.unpriced_calls} calls have no price and are not in the sum: rung doctor"


def _comparisons(bill: Bill) -> Iterable[str]:
    """Against one tier alone, with what is assumed beside it."""
    if bill.top.cost is None:
        yield f"All on {bill.top.tier}: its model has no price, so nothing is compared: rung doctor"
    elif bill.top.cost:
        saved = bill.saved_against_top or Decimal(0)
        words = f"{percent(abs(saved))} {'less' if saved >= 0 else 'more'}"
        yield (
            f"All on {bill.top.tier}: {dollars(bill.top.cost)}. This run: {dollars(bill.total)},"
            f" {words}."
        )
    if bill.cheapest.cost and bill.cheapest.tier != bill.top.tier:
        times = bill.total / bill.cheapest.cost
        yield (
            f"All on {bill.cheapest.tier}: {dollars(bill.cheapest.cost)}. This run: {times:.1f}"
            " times that."
        )
    if bill.top.cost or bill.cheapest.cost:
        yield bill.assumption
