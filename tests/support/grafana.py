"""What a Grafana dashboard asks Prometheus for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

RATE_INTERVAL = ("$__rate_interval", "5m")


class Asked(NamedTuple):
    """An expression, with the panel that asks."""

    panel: str
    expression: str


def panels(path: Path) -> list[dict[str, Any]]:
    """Every panel, rows left out."""
    document = json.loads(path.read_text("utf-8"))
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def asked(path: Path) -> Iterator[Asked]:
    """Every expression, with Grafana's own variable filled in."""
    for panel in panels(path):
        for target in panel["targets"]:
            yield Asked(panel["title"], target["expr"].replace(*RATE_INTERVAL))
