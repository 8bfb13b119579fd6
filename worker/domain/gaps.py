"""What customers ask and no page answers, grouped by the words that the questions share."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worker.domain.usual_words import USUAL_WORDS

MAX_GROUPS = 30
LARGE, MOST_PARTS, LEAST_PART = 6, 4, 3
"""A group of so many is told what most of its questions are about beside its name."""
READ_CHARS = 2_000
MIN_PLURAL = 4
"""Letters of a word whose last `s` is taken for a plural's, if it has more."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_USUAL = frozenset(USUAL_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A group: what its questions have in common, how many they are, and their keys."""

    words: str
    count: int
    keys: tuple[int, ...]
    parts: tuple[tuple[str, int], ...] = ()
    """Of a large one: words that several of its questions share beside its name, and how many."""


def gaps_in(questions: Iterable[tuple[int, str]]) -> list[Gap]:
    """The groups, largest first; each question is in one. Two words in a row name a group where
    they name as many questions as either alone would."""
    left = {key: _terms(text) for key, text in questions}
    found = list[Gap]()
    while left and len(found) < MAX_GROUPS:
        counts = Counter(term for terms in left.values() for term in terms)
        if not counts:
            break
        name, count = _best(counts)
        if count < 2:
            break
        keys = tuple(key for key, terms in left.items() if name in terms)
        parts = _parts(name, [left[key] for key in keys])
        found.append(Gap(words=name, count=len(keys), keys=keys, parts=parts))
        left = {key: terms for key, terms in left.items() if name not in terms}
    found.sort(key=lambda gap: -gap.count)
    if left:
        found.append(Gap(words="", count=len(left), keys=tuple(left)))
    return found


def _parts(name: str, inside: Sequence[frozenset[str]]) -> tuple[tuple[str, int], ...]:
    """Each question is in one of them at the most."""
    found, own = list[tuple[str, int]](), frozenset(name.split())
    while len(found) < MOST_PARTS and len(inside) >= LEAST_PART and (found or len(inside) >= LARGE):
        counts = Counter(word for terms in inside for word in terms - own if " " not in word)
        word, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
        if count < LEAST_PART:
            break
        found.append((word, count))
        inside = [terms for terms in inside if word not in terms]
    return tuple(found)


def _best(counts: Counter[str]) -> tuple[str, int]:
    """The commonest word, or a pair with it that is nearly as common and says more."""
    word, count = max(counts.items(), key=lambda item: (" " not in item[0], item[1], item[0]))
    pairs = [(n, t) for t, n in counts.items() if " " in t and word in t.split()]
    if pairs and max(pairs)[0] >= 0.6 * count:
        best = max(pairs)
        return best[1], best[0]
    return word, count


def _terms(text: str) -> frozenset[str]:
    read = (word for word in _WORD.findall(text[:READ_CHARS].lower()) if word not in _USUAL)
    words = [_singular(word) for word in read]
    pairs = (f"{first} {second}" for first, second in itertools.pairwise(words))
    return frozenset({*words, *pairs})


def _singular(word: str) -> str:
    plural = len(word) > MIN_PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word
