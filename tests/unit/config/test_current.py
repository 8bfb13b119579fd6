"""A process that runs for long goes by the configuration as it is now."""

import os
from pathlib import Path

import pytest

from tests.support.looking_up import asked, functions
from worker.config.current import CurrentSettings
from worker.config.loading import load_settings
from worker.lookups.desk import LookupDesk

TOML = """
[lookups.orders]
path = "lookups.py:orders"
options = {{ state = "{state}" }}
[policies.acme.context]
lookups = ["orders"]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    functions(tmp_path)
    write(tmp_path, TOML.format(state="sent"), 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(directory: Path, words: str, at: int) -> None:
    path = directory / "rung.toml"
    path.write_text(words)
    os.utime(path, (at, at))


def test_policies_and_look_ups_are_read_anew_and_what_is_wrong_changes_nothing(
    place: Path,
) -> None:
    current = CurrentSettings(load_settings())
    first = current.now(0)
    assert current.now(0) is first
    write(place, TOML.format(state="lost") + "[policies.other]\n[budget]\nper_run_usd = 3\n", 2)
    assert current.now(3_600) is first, "files are not looked at all the time"
    second = current.now(0)
    assert second.lookups["orders"].options == {"state": "lost"}
    assert list(second.policies) == ["acme", "other"]
    assert second.budget.per_run_usd is None, "all else is that of the start"
    nobody = TOML.format(state="lost").replace('["orders"]', '["orders", "parcels"]')
    for wrong in (
        nobody,
        "[lookups.orders]\npath = 3",
        'lookups.x.path = "lookups.py:nobody"',
        "[[",
    ):
        write(place, wrong, len(wrong))
        assert current.now(0) is second


def test_a_changed_function_answers_the_next_question(place: Path) -> None:
    current = CurrentSettings(load_settings())
    before, desk = current.now(0), LookupDesk(load_settings())
    try:
        assert desk.ask(["orders"], asked("c-1"))[0][0].records[0]["state"] == "sent"
        path = place / "lookups.py"
        path.write_text(path.read_text().replace('"sent")', '"sent") + "!"'))
        assert current.now(0) is not before
        desk.change(current.now(0))
        assert desk.ask(["orders"], asked("c-1"))[0][0].records[0]["state"] == "sent!"
    finally:
        desk.stop()


def test_a_desk_says_once_what_came_of_its_look_ups(place: Path) -> None:
    desk = LookupDesk(load_settings())
    try:
        desk.ask(["orders"], asked("c-1"))
        desk.ask(["parcels"], asked("c-1"))
        found = desk.news()
        assert found == ({"parcels": ("is not configured here", "wait")}, {"orders"})
        assert desk.news() == ({}, set())
    finally:
        desk.stop()
