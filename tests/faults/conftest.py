"""The fault suite: its seed, its processes, its report, and which part of it `make test` runs."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.zygote import Zygote

ALL = "FAULTS"
"""`FAULTS=all` runs every scenario; without it those that are not marked `fault` run."""
SEED = "FAULT_SEED"
REPORT = "FAULT_REPORT"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the long part of the suite unless it was asked for."""
    if os.environ.get(ALL) == "all":
        return
    left_out = [item for item in items if item.get_closest_marker("fault")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def seed() -> int:
    """One number for the run: `FAULT_SEED`, or one made from the run's name."""
    return int(os.environ.get(SEED) or int(os.environ["RUNG_TEST_RUN"], 16) % 1_000_000)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Forks worker processes."""
    made = Zygote()
    yield made
    made.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of `make faults`."""
    path = os.environ.get(REPORT)
    if not path or not Path(path).exists() or hasattr(terminalreporter.config, "workerinput"):
        return
    from tests.faults.report import table

    rows = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    terminalreporter.section("what the faults cost")
    for line in table(rows):
        terminalreporter.write_line(line)
