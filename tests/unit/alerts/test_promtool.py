"""The same fixtures through Prometheus' own promtool, where it is installed (Debian: the package
`prometheus`; or name it by PROMTOOL). So our own evaluator is held against the real one."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.promql.functions import NAME
from tests.support.promql.parsing import seconds
from tests.support.promql.rules import firing
from tests.support.promql.series import read
from tests.unit.alerts.test_alerts import CASES, ROOT, RULES
from tests.unit.alerts.test_promql import AT_S, SERIES, TABLE

FILE = ROOT / "deploy/prometheus/rules.yaml"
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    PROMTOOL is None,
    reason="promtool is not installed; our own evaluator has tested the rules (tests/unit/alerts)",
)


def promtool(*arguments: str) -> str:
    """What it says. Fails the test when it finds fault."""
    assert PROMTOOL is not None
    said = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def as_promtool_has_it(name: str, what: str, case: dict[str, Any]) -> dict[str, Any]:
    """A fixture with what our own evaluator says of it, texts included."""
    each = case.get("each", "1m")
    found = firing(RULES, name, read(case["series"], seconds(each)), seconds(case["at"]))
    expected = [
        {"exp_labels": alert.labels, "exp_annotations": alert.annotations} for alert in found
    ]
    return {
        "name": f"{name}: {what}",
        "interval": each,
        "input_series": [{"series": k, "values": v} for k, v in case["series"].items()],
        "alert_rule_test": [
            {"eval_time": case["at"], "alertname": name, "exp_alerts": expected},
        ],
    }


def shown(labels: dict[str, str]) -> str:
    """`name{label="value"}`."""
    inner = ", ".join(f'{k}="{v}"' for k, v in labels.items() if k != NAME)
    return f"{labels.get(NAME, '')}{{{inner}}}"


def test_it_gives_every_expression_the_value_that_ours_gives_it(tmp_path: Path) -> None:
    # given
    document = {
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": k, "values": v} for k, v in SERIES.items()],
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": f"{AT_S:.0f}s",
                        "exp_samples": [
                            {"labels": shown(labels), "value": value} for labels, value in expected
                        ],
                    }
                    for expression, expected in TABLE
                ],
            }
        ]
    }
    written = tmp_path / "expressions.yaml"
    written.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    # then
    promtool("test", "rules", str(written))


def test_it_reads_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(FILE))


def test_it_finds_what_our_own_evaluator_finds(tmp_path: Path) -> None:
    # given
    document = {
        "rule_files": [str(FILE)],
        "evaluation_interval": "1m",
        "tests": [as_promtool_has_it(*case) for case in CASES],
    }
    written = tmp_path / "fixtures.yaml"
    written.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    # then
    promtool("test", "rules", str(written))
