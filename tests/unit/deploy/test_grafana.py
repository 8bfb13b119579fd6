"""The Grafana dashboard: well formed, laid out without overlaps, and importable anywhere."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.grafana import panels

ROOT = Path(__file__).parents[3]
GRAFANA = ROOT / "deploy/grafana"
FILE = GRAFANA / "dashboards/rung.json"
WIDTH = 24


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def test_panels_are_named_explained_and_of_different_numbers(document: dict[str, Any]) -> None:
    # given
    ids = [panel["id"] for panel in document["panels"]]
    # then
    assert sorted(ids) == sorted(set(ids))
    assert [p["title"] for p in panels(FILE) if not p["title"] or not p["description"]] == []
    refs = [[target["refId"] for target in panel["targets"]] for panel in panels(FILE)]
    assert [found for found in refs if not found or len(found) != len(set(found))] == []


def test_no_panel_covers_another_or_leaves_the_page(document: dict[str, Any]) -> None:
    # given
    places = {panel["id"]: panel["gridPos"] for panel in document["panels"]}
    # when
    over = [
        (one, other)
        for (one, a), (other, b) in combinations(places.items(), 2)
        if a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    ]
    # then
    assert over == []
    assert [n for n, at in places.items() if at["x"] < 0 or at["x"] + at["w"] > WIDTH] == []


def test_every_panel_asks_the_source_that_the_reader_chooses(document: dict[str, Any]) -> None:
    # given
    variables = {one["name"]: one["type"] for one in document["templating"]["list"]}
    sources = {
        target["datasource"]["uid"]
        for panel in panels(FILE)
        for target in (*panel["targets"], panel)
    }
    # then
    assert variables == {"datasource": "datasource"}
    assert sources == {"${datasource}"}
    assert "id" not in document


def test_what_is_provisioned_is_where_compose_puts_it() -> None:
    # given
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/rung.yaml").read_text("utf-8"))
    source = yaml.safe_load(
        (GRAFANA / "provisioning/datasources/prometheus.yaml").read_text("utf-8")
    )
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    grafana = compose["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    # then
    assert provider["providers"][0]["options"]["path"] == mounts["./deploy/grafana/dashboards"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert "prometheus" in compose["services"]
