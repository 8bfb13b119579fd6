"""Words that customers use for a page, and that the page does not: learned from answers that named
their sources, for somebody to write them into its `also`."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

LEAST_MESSAGES = 3
"""That have the word and were answered from the page: fewer are chance, or somebody's name."""
MOST_WORDS = 20
"""For a page: more would bring it up for everything."""
LEAST_DIFFERENCE = 3.84
"""Of the likelihood ratio (G²): one time in twenty chance alone makes as much."""


class StoredPage(NamedTuple):
    """A page of a folder."""

    folder: str
    name: str


@dataclass(frozen=True, slots=True)
class AnsweredFrom:
    """The words of a message, each once, and the pages that its answer stands on."""

    words: frozenset[str]
    pages: frozenset[StoredPage]


@dataclass(frozen=True, slots=True)
class LackingWord:
    """A word, and how many of the messages that were answered from a page have it."""

    word: str
    messages: int


def lacking_words(
    answered: Iterable[AnsweredFrom], said: Mapping[StoredPage, Set[str]]
) -> dict[StoredPage, list[LackingWord]]:
    """For each page the words that its messages have more often than all messages do, those that
    tell it most surely first; none of those that it has `said` itself."""
    total, everywhere = 0, Counter[str]()
    of_page, beside = Counter[StoredPage](), defaultdict[StoredPage, Counter[str]](Counter)
    for one in answered:
        total += 1
        everywhere.update(one.words)
        for page in one.pages:
            of_page[page] += 1
            beside[page].update(one.words)
    found: dict[StoredPage, list[LackingWord]] = {}
    for page, counts in beside.items():
        told = [
            (_difference(both, word=everywhere[word], page=of_page[page], total=total), word, both)
            for word, both in counts.items()
            if both >= LEAST_MESSAGES and word not in said.get(page, frozenset())
        ]
        best = sorted((one for one in told if one[0] > LEAST_DIFFERENCE), key=lambda t: (-t[0], t))
        if best:
            found[page] = [LackingWord(word, both) for _, word, both in best[:MOST_WORDS]]
    return found


def _difference(both: int, *, word: int, page: int, total: int) -> float:
    """Dunning's likelihood ratio of a word and a page (Computational Linguistics 19, 1993); 0 where
    the page's messages have the word no more often than all have."""
    if both * total <= word * page:
        return 0.0
    cells = (
        (both, word * page),
        (page - both, page * (total - word)),
        (word - both, word * (total - page)),
        (total - page - word + both, (total - page) * (total - word)),
    )
    return 2 * sum(seen * math.log(seen * total / meant) for seen, meant in cells if seen)
