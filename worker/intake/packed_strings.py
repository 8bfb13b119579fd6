"""A million strings in little memory: read as they are asked for, packed, a page at a time."""

import bisect
import zlib
from collections import OrderedDict
from collections.abc import Iterator

import orjson

PAGE_STRINGS, PAGE_CHARS, PAGES_AT_HAND = 256, 200_000, 32


class Strings:
    """Strings by number. Rows ask for them about in the order in which they come, so no more are
    read than the rows that were read have asked for: who wants the first rows of millions waits for
    those, and what nobody asks for costs nothing."""

    def __init__(self, strings: Iterator[str]) -> None:
        self._coming = strings
        self._starts: list[int] = []
        self._packed: list[bytes] = []
        self._at_hand: OrderedDict[int, list[str]] = OrderedDict()
        self._page: list[str] = []
        self._start = self._chars = 0
        """Of the page that is being filled: the number of its first string, and its length."""

    def __getitem__(self, number: int) -> str:
        """Raises IndexError where there is none of this number, and what reading raises."""
        if number < 0:
            raise IndexError(number)
        self._read(number)
        if number >= self._start:
            return self._page[number - self._start]
        place = bisect.bisect_right(self._starts, number) - 1
        page = self._at_hand.get(place)
        if page is None:
            page = orjson.loads(zlib.decompress(self._packed[place]))
            self._at_hand[place] = page
            if len(self._at_hand) > PAGES_AT_HAND:
                self._at_hand.popitem(last=False)
        return page[number - self._starts[place]]

    def _read(self, number: int) -> None:
        """Up to this one, or to the end."""
        while self._start + len(self._page) <= number:
            string = next(self._coming, None)
            if string is None:
                return
            if len(self._page) == PAGE_STRINGS or self._chars > PAGE_CHARS:
                self._pack()
            self._page.append(string)
            self._chars += len(string)

    def _pack(self) -> None:
        self._starts.append(self._start)
        self._packed.append(zlib.compress(orjson.dumps(self._page), 1))
        self._start += len(self._page)
        self._page, self._chars = [], 0
