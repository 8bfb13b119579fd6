"""A disk without room: a sentence in the system's words, and nothing of Python's beside it."""

import errno
import gc
import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from worker.cli.speech.files import words_of
from worker.runs.exports import layout, write_parquet
from worker.runs.workbooks import write_workbook

ROOM = 100_000
"""Bytes."""


@contextmanager
def little_room() -> Iterator[None]:
    """No file of this process grows beyond ROOM."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", [write_workbook, write_parquet])
def test_a_file_for_which_there_is_no_room(write: Callable[..., Any], tmp_path: Path) -> None:
    # given more than there is room for, and nothing that could be packed
    chance = random.Random(1)
    rows = [{"message": chance.randbytes(500).hex()} for _ in range(1_000)]
    words = os.strerror(errno.EFBIG)
    # when
    with little_room(), pytest.raises(OSError, match=words) as refused:
        write(tmp_path / "answers", rows, layout([], ["message"]))
    # then
    assert words_of(refused.value) == words
    # and what was half written says nothing when it goes, which pytest would take for a failure
    del refused
    gc.collect()


def test_a_workbook_of_which_only_the_packed_one_has_no_room() -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as refused:
        write_workbook(Path("/dev/full"), [{"message": "hello"}], layout([], ["message"]))
    del refused
    gc.collect()
