"""Files that commands write: nothing that was there is lost unasked, and nobody else reads them."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.works import drain, hand_in, settings_for, working
from worker.cli.speech.files import new_text
from worker.config.settings import Settings
from worker.errors import UsageError
from worker.sandbox.simulator.state import State

pytestmark = pytest.mark.usefixtures("configured")
WRITERS = (
    ("results", "a", "-o", "out.csv"),
    ("results", "a", "-o", "out.jsonl"),
    ("results", "a", "-o", "out.parquet"),
    ("diff", "a", "b", "-o", "out.csv"),
    ("diff", "a", "b", "-o", "out.json"),
    ("review", "a", "-o", "out.csv"),
)


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


@pytest.fixture
def runs(engine: Engine, settings: Settings) -> None:
    for name in ("a", "b"):
        hand_in(engine, settings, ["Where is my card?"], name=name)
    with working(settings) as runtime:
        drain(runtime)


@pytest.mark.usefixtures("runs")
def test_what_is_there_is_kept_unless_told_and_links_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    for command in WRITERS:
        target = tmp_path / command[-1]
        # given
        precious.write_text("do not lose this")
        target.symlink_to(precious)
        # when
        refused = say(*command)
        forced = say(*command, "--force")
        # then
        assert (refused.code, "is there already" in refused.err, "--force" in refused.err) == (
            2,
            True,
            True,
        ), command
        assert (forced.code, target.is_symlink()) == (0, False), forced.err
        assert precious.read_text() == "do not lose this"
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert target.stat().st_size > 0
        target.unlink()
        # and into nothing, without being told
        assert say(*command).code == 0
        target.unlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious.txt"]


@pytest.mark.parametrize("force", [False, True])
def test_no_file_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path, force: bool) -> None:
    # given a pipe, and links as /dev has them
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "stdout").symlink_to("/proc/self/fd/1")
    there = sorted(tmp_path.iterdir())
    for place in there:
        # then
        with pytest.raises(UsageError, match="is no file"), new_text(place, force=force):
            pass
    assert sorted(tmp_path.iterdir()) == there
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"

    def write() -> None:
        with new_text(target, force=False) as stream:
            stream.write("ours")
            target.write_text("theirs")

    with pytest.raises(UsageError):
        write()
    assert target.read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
