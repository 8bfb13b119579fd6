"""Every release of PostgreSQL that docs/deploying.md names, and the one before the first."""

import re
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.deployment import deployment
from tests.support.places import ROOT
from worker.store.schema_check import LEAST

pytestmark = pytest.mark.slow
DOCUMENT = (ROOT / "docs/deploying.md").read_text("utf-8")
EMBEDDED = 18
TRIED = [*range(LEAST, EMBEDDED)]


def test_the_document_names_what_is_tried_here() -> None:
    (said,) = re.findall(r"\*\*Postgres\*\* (\d+) or newer; tested on (.*?)\.", DOCUMENT)
    assert int(said[0]) == LEAST
    assert [int(number) for number in re.findall(r"\d+", said[1])] == [*TRIED, EMBEDDED]


@pytest.mark.parametrize("release", TRIED)
def test_messages_go_all_the_way_on_every_release(
    tmp_path: Path, redis_url: str, release: int
) -> None:
    with (
        parts.postgres(tmp_path, release=release) as url,
        deployment(tmp_path, database=url, redis=redis_url, straight=url) as made,
    ):
        with made.worker() as log:
            made.hand_in(60)
            made.until_all_ended()
            said = made.rung("doctor")
        # then every promise holds, and what people read of it can be read
        assert said.returncode == 0, said.stdout
        assert f"version {release}." in said.stdout
        assert "Traceback" not in log.read_text()
        for words in (("status",), ("runs",), ("results", "backlog"), ("cost", "backlog")):
            done = made.rung(*words)
            assert done.returncode == 0, done.stderr


def test_an_older_one_is_refused_in_a_sentence(tmp_path: Path, redis_url: str) -> None:
    with (
        parts.postgres(tmp_path, release=LEAST - 1) as url,
        deployment(tmp_path, database=url, redis=redis_url, straight=url, migrate=False) as made,
    ):
        for words in (("db", "upgrade"), ("doctor",), ("enqueue", "day.csv"), ("worker",)):
            (made.root / "day.csv").write_text("external_id,body\n1,Where is my card?\n")
            done = made.rung(*words)
            assert f"needs {LEAST} or newer" in done.stdout + done.stderr, words
            assert done.returncode == 6, words
