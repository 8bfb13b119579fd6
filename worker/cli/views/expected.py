"""What a backlog is expected to cost where nothing is recorded yet: by tier, and by length."""

from typing import TYPE_CHECKING

from worker.cli.speech.output import console, talk
from worker.domain.lengths import UP_TO
from worker.domain.wording import count, dollars

if TYPE_CHECKING:
    from worker.runs.estimator import BacklogEstimate, LengthEstimate


def print_expected(expected: "BacklogEstimate") -> None:
    """A line for each tier, and what is assumed."""
    from worker.cli.speech.tables import FittingTable

    table = FittingTable("tier", "jobs", "calls", "expected", box=None)
    for line in expected.tiers:
        table.add_row(line.tier, count(line.jobs), count(line.calls), dollars(line.cost))
    table.add_row("all", "", "", dollars(expected.total))
    console(stderr=True).print(table)
    talk(expected.assumption)


def print_lengths(lengths: "list[LengthEstimate]") -> None:
    """A line for each length; nothing where all messages are short."""
    from worker.cli.speech.tables import FittingTable

    if not lengths or (len(lengths) == 1 and lengths[0].up_to == UP_TO[0]):
        return
    table = FittingTable(
        "characters", "messages", "expected", "longest, if it climbs", "", box=None
    )
    for one in lengths:
        ends = f"then for a person: {one.withheld_at} is too costly" if one.withheld_at else ""
        up_to = f"up to {count(one.up_to)}" if one.up_to else "longer"
        climbing = dollars(one.climbing)
        table.add_row(up_to, count(one.messages), dollars(one.cost), climbing, ends)
    console(stderr=True).print(table)
