"""How long the messages of a backlog are, counted while it streams: what they cost goes by that."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

UP_TO = (1_000, 4_000, 16_000, 64_000)
"""Characters of a body up to which a class of length goes; a last one has the longer ones."""


@dataclass(slots=True, kw_only=True)
class LengthClass:
    """Messages of about one length: how many, and bytes of UTF-8 of all and of the longest.
    `up_to` is in characters, None for the last class."""

    up_to: int | None
    messages: int = 0
    all_bytes: int = 0
    most_bytes: int = 0


def _classes() -> list[LengthClass]:
    return [LengthClass(up_to=up_to) for up_to in (*UP_TO, None)]


@dataclass(slots=True)
class Lengths:
    """The classes, shortest first."""

    classes: list[LengthClass] = field(default_factory=_classes)

    def add(self, body: str) -> None:
        """Counts one message."""
        size, one = len(body.encode()), self.classes[bisect_left(UP_TO, len(body))]
        one.messages += 1
        one.all_bytes += size
        one.most_bytes = max(one.most_bytes, size)

    def merge(self, other: "Lengths") -> None:
        """Adds what another has counted."""
        for one, more in zip(self.classes, other.classes, strict=True):
            one.messages += more.messages
            one.all_bytes += more.all_bytes
            one.most_bytes = max(one.most_bytes, more.most_bytes)

    def __iter__(self) -> Iterator[LengthClass]:
        """Those that have messages."""
        return (one for one in self.classes if one.messages)
