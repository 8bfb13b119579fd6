"""What expands without end is refused while it is read; what is only large is not."""

import io
import time
import zlib

import pytest

from tests.unit.intake.taking import taken
from worker.domain.backlog import Caps
from worker.errors import RungError
from worker.intake import sources
from worker.intake.archives import RATIO_FROM, bounded

CHUNK = 1_000_000


class Zeros(io.BytesIO):
    """So many zeros, a chunk at a time."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size

    def read(self, size: int | None = -1) -> bytes:
        """The next of them."""
        given = min(size or -1, self.left)
        self.left -= given
        return b"\0" * given


def read(size: int, packed: int) -> int:
    """How many bytes are let through of a file that was packed into so few."""
    return sum(map(len, bounded("day.csv.gz", Zeros(size), Caps(), lambda: packed)))


def test_no_more_than_two_hundred_times_what_was_sent() -> None:
    # given what gzip makes of a file of one letter: a thousandth
    once = len(zlib.compress(b"a" * CHUNK, 9))
    assert CHUNK // once > Caps().ratio == 200
    size = RATIO_FROM + 10 * CHUNK
    # then
    with pytest.raises(RungError, match="looks like a bomb"):
        read(size, size // (CHUNK // once))
    assert read(size, size // 100) == size
    # and a small file may be as dense as it likes
    assert read(RATIO_FROM // 2, 1) == RATIO_FROM // 2


def test_nuls_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # given what a copy that broke off leaves, and what does not end
    rows = b"external_id,body\n1,Where is it?\n"
    monkeypatch.setattr(sources, "MOST_NOTHING", 5_000_000)
    assert taken("x.csv", rows + b"\x00" * 4_000_000).ids == ["1"]
    for file in (b"", rows):
        assert "NULs in a row" in (taken("x.csv", file + b"\x00" * 9_000_000).refused or "")


def test_marks_without_end_are_stepped_over_at_once() -> None:
    before = time.thread_time()
    found = taken("x.csv", ("\ufeff" * 330_000 + "external_id,body\n1,Where is it?\n").encode())
    assert found.ids == ["1"]
    assert time.thread_time() - before < 1
