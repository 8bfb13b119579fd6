"""`rung diff RUN_A RUN_B`: what changed, message by message."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import click
from sqlalchemy import Engine

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.files import FORCE, new_text
from worker.cli.speech.output import encode, print_json, stdout, talk
from worker.cli.views import side_by_side
from worker.cli.views.diff import print_comparison
from worker.domain.run_diff import (
    Pair,
    RunComparison,
    Side,
    compare,
    examples_of,
    kind_of,
    ordered,
)
from worker.errors import UsageError
from worker.runs.exports import csv_cell
from worker.store.reading.comparing import pairs_of
from worker.store.reading.side_by_side import MOST, sample_pairs, texts_of
from worker.store.runs import StoredRun, find_run

SIDE_COLUMNS = ("job", "state", "tier", "confidence", "cost_usd")
COLUMNS = (
    "source",
    "external_id",
    "change",
    *(f"{name}_a" for name in SIDE_COLUMNS),
    *(f"{name}_b" for name in SIDE_COLUMNS),
    "reply",
)


@click.command()
@click.argument("run_a", shell_complete=RUN)
@click.argument("run_b", shell_complete=RUN)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="FILE.csv, or FILE.json")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout: one row a message.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout: counts and examples.")
@click.option("--examples", type=click.IntRange(0, 1_000), default=5, help="How many of each kind.")
@click.option("--texts", is_flag=True, help="Messages beside both replies, where these differ.")
@click.option("-n", "size", type=click.IntRange(1, MOST), default=20, help="How many of --texts.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, help="Another number chooses other --texts."
)
@FORCE
def diff(
    run_a: str,
    run_b: str,
    output: Path | None,
    as_csv: bool,
    as_json: bool,
    examples: int,
    texts: bool,
    size: int,
    seed: int,
    force: bool,
) -> None:
    """What changed between two runs in outcome, tier, confidence and cost, by message.

    Counts first, then examples. Only messages that are finished in both runs are compared.
    """
    kind = _kind(output, as_csv=as_csv, as_json=as_json)
    with database() as engine:
        with engine.connect() as connection:
            a, b = find_run(connection, run_a), find_run(connection, run_b)
        if a.id == b.id:
            raise UsageError(f"{a.name} and {b.name} are the same run.", mend="rung runs")
        if texts:
            _show_texts(engine, a, b, size, seed, as_json=as_json)
            return
        if kind == "csv":
            _to(output, lambda stream: write_csv(stream, pairs_of(engine, a, b)), force=force)
            return
        comparison = compare(pairs_of(engine, a, b), examples)
    if kind == "json":
        document = document_of(a, b, comparison)
        _to(output, lambda stream: write_json(stream, document), force=force)
    else:
        print_comparison(a, b, comparison)


def _show_texts(
    engine: Engine, a: StoredRun, b: StoredRun, size: int, seed: int, *, as_json: bool
) -> None:
    with engine.connect() as connection:
        shown = sample_pairs(connection, a.id, b.id, size=size, seed=seed)
        said = texts_of(connection, shown)
    if as_json:
        print_json(side_by_side.document_of(shown, said))
        return
    if shown.rows:
        side_by_side.print_shown(shown, said, a.name, b.name)
    both = f"{shown.looked_at:,} messages that both have answered"
    talk(f"{shown.differ:,} of {both} and that were looked at have another reply.")


def document_of(a: StoredRun, b: StoredRun, found: RunComparison) -> dict[str, Any]:
    """A comparison as JSON values."""
    return {
        "run_a": _about(a),
        "run_b": _about(b),
        "both": found.both,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "unfinished": found.unfinished,
        "outcome": {name: found.outcome[name] for name in ("same", "better", "worse", "other")},
        "outcome_steps": _steps(found.outcomes),
        "tier": {name: found.tier[name] for name in ("same", "lower", "higher")},
        "tier_steps": _steps(found.tiers),
        "confidence": {
            **{name: found.confidence[name] for name in ("same", "lower", "higher", "unknown")},
            "mean_a": found.confidence_a.value,
            "mean_b": found.confidence_b.value,
        },
        "reply": {name: found.reply[name] for name in ("same", "changed")},
        "cost": {
            **{name: found.cost[name] for name in ("same", "lower", "higher")},
            "a_usd": found.cost_a,
            "b_usd": found.cost_b,
            "difference_usd": found.cost_b - found.cost_a,
        },
        "examples": [row_of(example.pair) for example in examples_of(found)],
    }


def row_of(pair: Pair) -> dict[str, Any]:
    """A message as one flat row; no text of it."""
    replies = {True: "same", False: "changed", None: None}
    row: dict[str, Any] = {
        "source": pair.source,
        "external_id": pair.external_id,
        "change": _change(pair),
    }
    for letter, side in (("a", pair.a), ("b", pair.b)):
        row |= {f"{name}_{letter}": value for name, value in _side(side).items()}
    return row | {"reply": replies[pair.same_reply]}


def write_csv(stream: IO[str], pairs: Iterable[Pair]) -> int:
    """One row for every message of either run, in constant memory."""
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    count = 0
    for pair in pairs:
        writer.writerow([csv_cell(value) for value in row_of(pair).values()])
        count += 1
    return count


def write_json(stream: IO[str], document: dict[str, Any]) -> int:
    """The whole comparison as one document."""
    json.dump(document, stream, default=encode, ensure_ascii=stream.isatty(), indent=2)
    stream.write("\n")
    return int(document["both"])


def _about(run: StoredRun) -> dict[str, Any]:
    return {
        "run": run.name,
        "policy": run.policy_name,
        "policy_version": run.policy_version,
        "lane": run.lane,
        "prompts": run.prompts or {},
    }


def _change(pair: Pair) -> str | None:
    if pair.a is None or pair.b is None:
        return "only in b" if pair.a is None else "only in a"
    if pair.unfinished:
        return "unfinished"
    return kind_of(pair.a, pair.b)


def _side(side: Side | None) -> dict[str, Any]:
    if side is None:
        return dict.fromkeys(SIDE_COLUMNS)
    values = (side.job, side.state, side.tier, side.confidence, side.cost)
    return dict(zip(SIDE_COLUMNS, values, strict=True))


def _kind(output: Path | None, *, as_csv: bool, as_json: bool) -> str:
    if as_csv and as_json:
        raise UsageError("--csv and --json are two formats.", mend="leave one of them out")
    if output is None:
        return "csv" if as_csv else "json" if as_json else "table"
    kind = output.suffix.lower().lstrip(".")
    if kind not in ("csv", "json"):
        raise UsageError(
            f"{output} has an ending that says no format.", mend="-o diff.csv or .json"
        )
    return kind


def _to(output: Path | None, write: Callable[[IO[str]], int], *, force: bool) -> None:
    if output is None:
        write(stdout())
        return
    with new_text(output, force=force) as stream:
        count = write(stream)
    talk(f"{count:,} messages written to {output}.")


def _steps(counted: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"from": a, "to": b, "messages": count} for a, b, count in ordered(counted)]
