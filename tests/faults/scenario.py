"""What a scenario is: a story told in a house, and how its jobs may end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.house import House

Story = Callable[[House], None]
GOOD = ("answered", "review")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of a table. `row` is the failure mode's number in `report.ROWS`."""

    name: str
    row: int
    story: Story
    ends: tuple[str, ...] = GOOD
    """States in which the jobs of the scenario may end; all of them must be there when it is
    more than the two good ones."""
    wasted: int = 0
    """Calls that may be wasted at most."""
    quick: bool = False
    """Part of `make test`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """`RUNG_…` settings of the workers."""
    latency: float = 0.0
    """The simulator's latency scale."""
