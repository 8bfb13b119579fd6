"""A million strings in little memory: packed, a page at a time."""

import bisect
import zlib
from collections import OrderedDict
from collections.abc import Iterator

import orjson

PAGE_STRINGS, PAGE_CHARS, PAGES_AT_HAND = 256, 200_000, 32


class Strings:
    """Strings by number, packed."""

    def __init__(self, strings: Iterator[str]) -> None:
        self._starts: list[int] = []
        self._packed: list[bytes] = []
        self._at_hand: OrderedDict[int, list[str]] = OrderedDict()
        page: list[str] = []
        count = chars = 0
        for string in strings:
            page.append(string)
            count, chars = count + 1, chars + len(string)
            if len(page) == PAGE_STRINGS or chars > PAGE_CHARS:
                self._pack(count - len(page), page)
                page, chars = [], 0
        self._pack(count - len(page), page)
        self._count = count

    def _pack(self, start: int, page: list[str]) -> None:
        if page:
            self._starts.append(start)
            self._packed.append(zlib.compress(orjson.dumps(page), 1))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> str:
        """Raises IndexError where there is none of this number."""
        if not 0 <= number < self._count:
            raise IndexError(number)
        place = bisect.bisect_right(self._starts, number) - 1
        page = self._at_hand.get(place)
        if page is None:
            page = orjson.loads(zlib.decompress(self._packed[place]))
            self._at_hand[place] = page
            if len(self._at_hand) > PAGES_AT_HAND:
                self._at_hand.popitem(last=False)
        return page[number - self._starts[place]]
