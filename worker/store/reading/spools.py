"""What is read once from Postgres and looked at several times, without being held."""

import pickle
from collections.abc import Collection, Iterator
from tempfile import SpooledTemporaryFile
from typing import Generic, TypeVar
from weakref import finalize

Item = TypeVar("Item")
HELD_BYTES = 16 * 2**20
"""So much is held; what goes beyond lies in a file that has no name and ends with its process."""
BLOCK = 500
"""Items that are written, and read again, in one go."""


class Spool(Collection[Item], Generic[Item]):
    """Items in the order in which they were added, to be read as often as is wanted. Its memory
    does not grow with them. Raises OSError where there is no room for its file."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](HELD_BYTES)
        self._last: list[Item] = []
        self._count, self._end = 0, 0
        finalize(self, self._file.close)

    def add(self, item: Item) -> None:
        """Takes one more."""
        self._count += 1
        self._last.append(item)
        if len(self._last) == BLOCK:
            self._file.seek(self._end)
            pickle.dump(self._last, self._file, pickle.HIGHEST_PROTOCOL)
            self._end, self._last = self._file.tell(), []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        place = 0
        while place < self._end:
            self._file.seek(place)
            # Written above, and nobody else can reach it.
            block: list[Item] = pickle.load(self._file)  # noqa: S301
            place = self._file.tell()
            yield from block
        yield from self._last

    def __contains__(self, item: object) -> bool:
        return any(item == one for one in self)
