"""`rung knowledge cost`: what pages add to a message, whole in the prompt or searched."""

from typing import Any

import click

from models.vocabulary import Lane
from worker.cli.speech.amounts import Finite
from worker.cli.speech.completion import POLICY
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import console, print_json, talk
from worker.config.knowledge import folders_named
from worker.config.loading import load_settings
from worker.config.prices import price_of
from worker.domain.knowledge_cost import compare_ways
from worker.errors import UsageError
from worker.store.passages import stored_folders


@click.command(short_help="What pages add to the cost of a message.")
@click.option("--policy", help="Only its folders.", shell_complete=POLICY)
@click.option("--messages", type=click.IntRange(1), default=10_000, help="That share a cache.")
@click.option("--hours", type=Finite(0.01), default=1.0, help="In which they are answered.")
@JSON
def cost(policy: str | None, messages: int, hours: float, as_json: bool) -> None:
    """What pages add to a message on the cheapest tier: whole in the prompt, or searched."""
    settings = load_settings()
    with database(settings) as engine, engine.connect() as connection:
        known = stored_folders(connection)
    wanted = folders_named(settings, policy) if policy else known
    sizes = {name: known[name].size for name in wanted if name in known}
    if not sizes:
        raise UsageError("No pages have been read yet.", mend="rung knowledge sync FOLDER")
    model = settings.tiers[settings.ladder.bottom].model
    price = price_of(model, settings.prices)
    if price is None:
        raise UsageError(f"{model} has no price.", mend=f"set prices.{model} in rung.toml")
    rows = [
        {
            "folder": name,
            "tokens_whole": size.whole,
            "tokens_searched": size.searched,
            "lane": lane.value,
            "usd_whole": choice.whole,
            "usd_searched": choice.searched,
            "better": "whole" if choice.better_whole else "searched",
        }
        for name, size in sizes.items()
        for lane in (Lane.REALTIME, Lane.BATCH)
        for choice in (compare_ways(price, size, lane, messages, hours * 3_600),)
    ]
    if as_json:
        print_json(rows)
        return
    _print_costs(rows, model, messages)


def _print_costs(rows: list[dict[str, Any]], model: str, messages: int) -> None:
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "folder", "lane", "better", "whole", "searched", "$ whole", "$ searched", box=None
    )
    for row in rows:
        whole = "does not fit" if row["usd_whole"] is None else f"{1000 * row['usd_whole']:.4f}"
        tokens = (f"{row['tokens_whole']:,}", f"{row['tokens_searched']:,}")
        dollars = (whole, f"{1000 * row['usd_searched']:.4f}")
        table.add_row(row["folder"], row["lane"], row["better"], *tokens, *dollars)
    console().print(table)
    talk(
        f"Dollars a thousand messages on {model}, when {messages:,} share a cache. A run takes what"
        " costs less, unless context.pages of its policy says whole or searched, and receipts say"
        " which."
    )
