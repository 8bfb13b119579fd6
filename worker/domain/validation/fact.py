"""A fact of a text, and the keys under which texts are compared."""

from collections.abc import Hashable
from dataclasses import dataclass

Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something a text says that can be true or not. `said` is how it is written there."""

    kind: str
    said: str
    asked: tuple[Key, ...] = ()
    """Under any of these another text may hold it; none where it is too small to be asked for."""
    held: tuple[Key, ...] = ()
    """Under these the text that it stands in may be asked for it."""


def same(kind: str, said: str, key: Key, *held: Key) -> Fact:
    """What is asked for as it is held, under one key; it may hold more."""
    return Fact(kind=kind, said=said, asked=(key,), held=(key, *held))
