"""A comparison of two runs as people read it, on a terminal 80 columns wide."""

from decimal import Decimal
from typing import Any

from worker.cli.speech.output import console
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars

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


def print_comparison(document: dict[str, Any]) -> None:
    """Counts, steps, then examples."""
    out = console()
    for letter in ("a", "b"):
        run = document[f"run_{letter}"]
        words = f"{run['policy']} {run['policy_version'][:7]}, {run['lane']}"
        if version := run["prompts"].get("answer"):
            words += f", prompt {version[:7]}"
        out.print(f"{letter.upper()}  {terminal_safe(run['run'])}  ({words})")
    out.print(_who_is_in(document))
    if not document["both"] - document["unfinished"]:
        out.print("There is nothing to compare.")
        return
    out.print()
    out.print(_counts(document))
    for name in ("outcome", "tier"):
        steps = [step for step in document[f"{name}_steps"] if step["from"] != step["to"]]
        if steps:
            out.print()
            out.print(_steps(name, steps))
    _print_examples(document["examples"])


def _who_is_in(document: dict[str, Any]) -> str:
    words = [f"{document['both']:,} messages in both"]
    words += [f"{document[key]:,} only in {key[-1].upper()}" for key in ("only_a", "only_b")]
    if document["unfinished"]:
        words.append(f"{document['unfinished']:,} not finished, left out")
    return "; ".join(words) + "."


def _counts(document: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("", box=None, pad_edge=False)
    for heading in ("same", "better", "worse", "other"):
        table.add_column(heading, justify="right")
    table.add_column()
    table.add_row("outcome", *_numbers(document["outcome"], "same", "better", "worse", "other"))
    table.add_row("", "same", "lower", "higher", "changed", "A → B")
    table.add_row("tier", *_numbers(document["tier"], "same", "lower", "higher"))
    confidence, cost = document["confidence"], document["cost"]
    means = f"mean {_two(confidence['mean_a'])} → {_two(confidence['mean_b'])}"
    table.add_row("confidence", *_numbers(confidence, "same", "lower", "higher"), "", means)
    sums = f"{dollars(cost['a_usd'])} → {dollars(cost['b_usd'])}{_share(cost)}"
    table.add_row("cost", *_numbers(cost, "same", "lower", "higher"), "", sums)
    reply = document["reply"]
    table.add_row("reply", f"{reply['same']:,}", "", "", f"{reply['changed']:,}")
    return table


def _share(cost: dict[str, Any]) -> str:
    """` (-27%)`: by how much B costs more or less than A."""
    return f" ({cost['difference_usd'] / cost['a_usd']:+.0%})" if cost["a_usd"] else ""


def _steps(name: str, steps: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(f"{name} A", f"{name} B", "messages", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for step in steps[:STEPS]:
        table.add_row(
            terminal_safe(step["from"]), terminal_safe(step["to"]), f"{step['messages']:,}"
        )
    rest = sum(step["messages"] for step in steps[STEPS:])
    if rest:
        table.add_row("…", "…", f"{rest:,}")
    return table


def _print_examples(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    out = console()
    kinds = list(dict.fromkeys(row["change"] for row in rows))
    for kind in kinds:
        table = Table("message", "outcome", "tier", "conf.", "cost", box=None, pad_edge=False)
        for row in rows:
            if row["change"] == kind:
                table.add_row(*_example(row))
        out.print()
        out.print(f"{KIND_WORDS[kind]}:")
        out.print(table)


def _example(row: dict[str, Any]) -> tuple[str, ...]:
    difference = row["cost_usd_b"] - row["cost_usd_a"]
    sign = "+" if difference >= 0 else "-"
    name = terminal_safe(row["external_id"])
    return (
        name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…",
        _step(row["state_a"], row["state_b"]),
        _step(row["tier_a"] or "–", row["tier_b"] or "–"),
        _step(_two(row["confidence_a"]), _two(row["confidence_b"])),
        f"{sign}{dollars(abs(difference))}",
    )


def _step(a: str, b: str) -> str:
    return terminal_safe(a) if a == b else terminal_safe(f"{a}→{b}")


def _numbers(counts: dict[str, Any], *names: str) -> list[str]:
    return [f"{counts[name]:,}" for name in names]


def _two(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:.2f}"
