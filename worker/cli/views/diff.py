"""A comparison of two runs as people read it, on a terminal 80 columns wide."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from worker.cli.speech.output import console
from worker.domain.run_diff import (
    CountedStep,
    Example,
    RunComparison,
    Side,
    examples_of,
    ordered,
)
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars, percent
from worker.store.runs import StoredRun

if TYPE_CHECKING:
    from worker.cli.speech.tables import FittingTable

NAME_WIDTH, STEPS = 22, 6
KIND_WORDS = {
    "worse": "Worse outcome",
    "better": "Better outcome",
    "other outcome": "Other outcome",
    "higher tier": "Same outcome, higher tier",
    "lower tier": "Same outcome, lower tier",
    "lower confidence": "Same tier, lower confidence (by 0.1 or more)",
    "higher confidence": "Same tier, higher confidence (by 0.1 or more)",
}


def print_comparison(a: StoredRun, b: StoredRun, found: RunComparison) -> None:
    """Counts, steps, then examples."""
    out = console()
    for letter, run in (("A", a), ("B", b)):
        words = f"{run.policy_name} {run.policy_version[:7]}, {run.lane}"
        if version := (run.prompts or {}).get("answer"):
            words += f", prompt {version[:7]}"
        out.print(f"{letter}  {terminal_safe(run.name)}  ({words})")
    out.print(_who_is_in(found))
    if not found.both - found.unfinished:
        out.print("There is nothing to compare.")
        return
    out.print()
    out.print(_counts(found))
    for name, counted in (("outcome", found.outcomes), ("tier", found.tiers)):
        steps = [step for step in ordered(counted) if step[0] != step[1]]
        if steps:
            out.print()
            out.print(_steps(name, steps))
    _print_examples(examples_of(found))


def _who_is_in(found: RunComparison) -> str:
    words = [f"{found.both:,} messages in both"]
    words += [f"{found.only_a:,} only in A", f"{found.only_b:,} only in B"]
    if found.unfinished:
        words.append(f"{found.unfinished:,} not finished, left out")
    return "; ".join(words) + "."


def _counts(found: RunComparison) -> "FittingTable":
    from worker.cli.speech.tables import FittingTable

    table = FittingTable("", box=None, pad_edge=False)
    for heading in ("same", "better", "worse", "other"):
        table.add_column(heading, justify="right")
    table.add_column()
    table.add_row("outcome", *_numbers(found.outcome, "same", "better", "worse", "other"))
    table.add_row("", "same", "lower", "higher", "changed", "A → B")
    table.add_row("tier", *_numbers(found.tier, "same", "lower", "higher"))
    means = f"mean {_two(found.confidence_a.value)} → {_two(found.confidence_b.value)}"
    table.add_row("confidence", *_numbers(found.confidence, "same", "lower", "higher"), "", means)
    sums = f"{dollars(found.cost_a)} → {dollars(found.cost_b)}{_share(found)}"
    table.add_row("cost", *_numbers(found.cost, "same", "lower", "higher"), "", sums)
    table.add_row("reply", f"{found.reply['same']:,}", "", "", f"{found.reply['changed']:,}")
    return table


def _share(found: RunComparison) -> str:
    """` (-27 %)`: by how much B costs more or less than A."""
    return (
        f" ({percent((found.cost_b - found.cost_a) / found.cost_a, sign='+')})"
        if found.cost_a
        else ""
    )


def _steps(name: str, steps: list[CountedStep]) -> "FittingTable":
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(f"{name} A", f"{name} B", "messages", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for a, b, messages in steps[:STEPS]:
        table.add_row(terminal_safe(a), terminal_safe(b), f"{messages:,}")
    if rest := sum(messages for _, _, messages in steps[STEPS:]):
        table.add_row("…", "…", f"{rest:,}")
    return table


def _print_examples(examples: Sequence[Example]) -> None:
    from worker.cli.speech.tables import FittingTable

    out = console()
    for kind in dict.fromkeys(example.kind for example in examples):
        table = FittingTable(
            "message", "outcome", "tier", "conf.", "cost", box=None, pad_edge=False
        )
        for example in examples:
            if example.kind == kind and example.pair.a and example.pair.b:
                table.add_row(*_example(example.pair.external_id, example.pair.a, example.pair.b))
        out.print()
        out.print(f"{KIND_WORDS[kind]}:")
        out.print(table)


def _example(external_id: str, a: Side, b: Side) -> tuple[str, ...]:
    difference = b.cost - a.cost
    sign = "+" if difference >= 0 else "-"
    name = terminal_safe(external_id)
    return (
        name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…",
        _step(a.state, b.state),
        _step(a.tier or "–", b.tier or "–"),
        _step(_two(a.confidence), _two(b.confidence)),
        f"{sign}{dollars(abs(difference))}",
    )


def _step(a: str, b: str) -> str:
    return terminal_safe(a) if a == b else terminal_safe(f"{a}→{b}")


def _numbers(counts: Counter[str], *names: str) -> list[str]:
    return [f"{counts[name]:,}" for name in names]


def _two(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:.2f}"
