"""How many worker processes `auto` is."""

from pathlib import Path

import click
import pytest

from worker.cli.sizing import MOST, WorkersType, processes, processors, useful
from worker.config.settings import Settings

LIMITED = Settings.model_validate(
    {
        "tiers": {
            "haiku": {"model": "claude-haiku-5-5", "rpm": 30_000},
            "opus": {"model": "claude-opus-5-5", "rpm": 6_000},
        }
    }
)
FREE = Settings.model_validate(
    {
        "tiers": {
            "haiku": {"model": "claude-haiku-5-5", "rpm": 30_000},
            "opus": {"model": "claude-opus-5-5"},
        }
    }
)


@pytest.mark.parametrize(
    ("cpus", "settings", "beside_postgres", "wanted"),
    [
        (1, FREE, True, 1),
        (0.5, FREE, False, 1),
        (2, FREE, True, 1),
        (2, FREE, False, 2),
        (8, FREE, True, 4),
        (8, FREE, False, 8),
        (8, LIMITED, False, 2),
        (2, LIMITED, True, 1),
        (200, FREE, False, MOST),
    ],
)
def test_processors_and_limits_bound_what_is_of_use(
    cpus: float, settings: Settings, beside_postgres: bool, wanted: int
) -> None:
    assert useful(cpus, settings, beside_postgres=beside_postgres) == wanted


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("50000 100000", 0.5),
        ("max 100000", None),
        ("nonsense", None),
        ("100000 0", None),
        (None, None),
    ],
)
def test_a_containers_quota_counts(tmp_path: Path, said: str | None, share: float | None) -> None:
    quota = tmp_path / "cpu.max"
    if said is not None:
        quota.write_text(said)
    whole = processors(tmp_path / "nothing here")
    assert processors(quota) == (whole if share is None else share)


def test_a_number_is_taken_as_it_is() -> None:
    assert processes(7, FREE) == 7
    assert processes("auto", FREE) >= 1


@pytest.mark.parametrize("value", ["0", "65", "-1", "1.5", "many", "٣٣٣"])
def test_what_is_no_number_of_processes_is_refused(value: str) -> None:
    with pytest.raises(click.BadParameter, match="neither a number from 1 to 64 nor auto"):
        WorkersType().convert(value, None, None)


def test_what_is_one_is_read() -> None:
    assert [WorkersType().convert(value, None, None) for value in ("1", "64", 3)] == [1, 64, 3]
    assert WorkersType().convert("auto", None, None) == "auto"
