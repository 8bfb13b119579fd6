"""Near-duplicates: messages that say almost the same, as a view for people.

Min-wise hashing in one pass (Broder 1997; one permutation: Li, Owen and Zhang 2012): each piece of
five letters is hashed once and falls into one of `BINS`, the least of each bin is kept, and
messages that share a band of bins are compared piece by piece. Nothing is answered for another
message by this: a wrong merge costs more than an answer saves.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PIECE = 5
BINS, BAND = 48, 3
"""Sixteen bands of three: messages that share six tenths of their pieces meet in one of them with
a probability of 98 %, those that share three tenths with 36 %, and are told apart then."""
ALIKE = 0.6
"""Share of their pieces that near-duplicates have in common."""
MOST_CHARS = 800
SIGNED = 2**31
_SPACE = re.compile(r"\s+")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Messages that are alike, by the keys they came with; the others are like the first."""

    members: tuple[int, ...]

    @property
    def first(self) -> int:
        """The leader."""
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Shingles:
    """What messages are compared by: the pieces of one, and the keys by which those meet that are
    like it."""

    pieces: frozenset[int]
    keys: Sequence[int]


class Leaders:
    """Messages that founded a cluster, by the keys they came with. Each message joins the leader
    that it is most like, so no chain of small steps makes one of two different things."""

    def __init__(self) -> None:
        self._pieces: dict[int, frozenset[int]] = {}
        self._meeting: dict[int, list[int]] = {}

    def join(self, message: int, own: Shingles) -> int:
        """The leader that this message is like; itself where there is none."""
        met = {leader for key in own.keys for leader in self._meeting.get(key, ())}
        alike = [(_shared(own.pieces, self._pieces[leader]), -leader) for leader in met]
        best = max(alike, default=(0.0, 0))
        if best[0] >= ALIKE:
            return -best[1]
        self.lead(message, own)
        return message

    def lead(self, message: int, own: Shingles) -> None:
        """This message is a leader, whatever it is like."""
        self._pieces[message] = own.pieces
        for key in own.keys:
            self._meeting.setdefault(key, []).append(message)


def clusters(texts: Iterable[tuple[int, str]], least: int = 2) -> list[Cluster]:
    """Clusters of at least so many messages, the largest first."""
    leaders, members = Leaders(), dict[int, list[int]]()
    for key, text in texts:
        members.setdefault(leaders.join(key, shingles_of(text)), []).append(key)
    found = [Cluster(tuple(all_of_it)) for all_of_it in members.values() if len(all_of_it) >= least]
    return sorted(found, key=lambda one: (-len(one.members), one.first))


def shingles_of(text: str) -> Shingles:
    """Of a whole message."""
    pieces = pieces_of(text)
    return Shingles(pieces, bands_of(pieces))


def pieces_of(text: str) -> frozenset[int]:
    """Hashes of the text's pieces of five letters; figures are all alike, for order numbers and
    sums differ where the matter does not."""
    plain = _DIGITS.sub("0", _SPACE.sub(" ", text[:MOST_CHARS].casefold()).strip())
    whole = plain.encode()
    if len(whole) <= PIECE:
        return frozenset([zlib.crc32(whole)])
    return frozenset(zlib.crc32(whole[i : i + PIECE]) for i in range(len(whole) - PIECE + 1))


def bands_of(pieces: frozenset[int]) -> list[int]:
    """The bands that messages meet in, each as a hash of 32 bits with its sign, as Postgres keeps
    it. An empty bin takes what the next one holds."""
    least: list[int | None] = [None] * BINS
    for piece in pieces:
        place, value = piece % BINS, piece // BINS
        known = least[place]
        if known is None or value < known:
            least[place] = value
    filled = _filled(least)
    return [
        zlib.crc32(f"{start}:{filled[start : start + BAND]}".encode()) - SIGNED
        for start in range(0, BINS, BAND)
    ]


def _filled(least: Sequence[int | None]) -> list[int]:
    held = next((value for value in least if value is not None), 0)
    found = []
    for value in reversed(least):
        held = value if value is not None else held
        found.append(held)
    return found[::-1]


def _shared(first: frozenset[int], second: frozenset[int]) -> float:
    common = len(first & second)
    return common / (len(first) + len(second) - common)
