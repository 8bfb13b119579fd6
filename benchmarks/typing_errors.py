"""Messages as they are typed in a hurry: by program, from a seed, the same each time."""

import random
import re
from collections.abc import Iterable, Iterator

SEED = 17
_WORD = re.compile(r"[^\W\d_]{5,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def mistyped(bodies: Iterable[str], share: float) -> Iterator[str]:
    """Each body with one error in so large a share of its words of five letters or more, and in one
    of them at least. An error is a letter left out, doubled, another one, or two in the wrong
    order; any letter of a word may be hit, the first as well."""
    draw = random.Random(SEED)
    for body in bodies:
        words = list(_WORD.finditer(body))
        many = max(1, round(share * len(words))) if words else 0
        for word in sorted(draw.sample(words, many), key=lambda one: -one.start()):
            body = body[: word.start()] + _wrong(word.group(), draw) + body[word.end() :]
        yield body


def _wrong(word: str, draw: random.Random) -> str:
    at = draw.randrange(len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    return draw.choice(
        (
            before + after,
            before + letter + letter + after,
            before + draw.choice(_LETTERS) + after,
            before + after[0] + letter + after[1:],
        )
    )
