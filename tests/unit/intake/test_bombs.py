"""What expands without end is refused while it is read; what is only large is not."""

import io
import zlib

import pytest

from worker.domain.backlog import Caps
from worker.errors import RungError
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
