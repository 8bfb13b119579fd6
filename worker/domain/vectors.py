"""What an embedder brings, held against what was asked. Pure."""

import math
from typing import Any

from worker.domain.wording import plural

MOST_NUMBERS = 4_000
"""In one vector."""

DECIMALS = 7


class VectorsRefused(Exception):
    """Why vectors are not used; a sentence without any of them."""


def read_vectors(given: Any, texts: int) -> list[list[float]]:
    """One for each text, all equally long. Raises VectorsRefused."""
    if not isinstance(given, list | tuple) or len(given) != texts:
        count = plural(len(given), "vector") if isinstance(given, list | tuple) else "no list"
        raise VectorsRefused(f"brought {count} for {plural(texts, 'text')}; it must bring one each")
    found = [_numbers(one) for one in given]
    if len({len(one) for one in found}) > 1:
        raise VectorsRefused("brought vectors of different lengths")
    return found


def _numbers(given: Any) -> list[float]:
    try:
        found = [float(one) for one in given]
    except (TypeError, ValueError):
        raise VectorsRefused("brought something that is no vector of numbers") from None
    if not 0 < len(found) <= MOST_NUMBERS or not all(map(math.isfinite, found)):
        raise VectorsRefused(
            f"brought a vector that is empty, longer than {MOST_NUMBERS:,} numbers, or has one that"
            " is none"
        )
    if not any(found):
        raise VectorsRefused("brought a vector of zeros, which is near to nothing")
    return _of_length_one(found)


def _of_length_one(numbers: list[float]) -> list[float]:
    """Only where it points to counts; so no number is too large for Postgres, or too small."""
    most = max(map(abs, numbers))
    shares = [one / most for one in numbers]
    length = math.hypot(*shares)
    return [round(one / length, DECIMALS) for one in shares]
