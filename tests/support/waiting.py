"""Waiting without sleeping blindly."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], *, within_s: float = 30, every_s: float = 0.05) -> T:
    """What `look` says as soon as it is true. Raises AssertionError when it stays false."""
    deadline = time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"still {seen!r} after {within_s} s")
        time.sleep(every_s)
