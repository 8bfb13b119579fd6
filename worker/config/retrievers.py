"""`[retrievers]`: functions of one's own that find passages for messages, by meaning for example.

`semantic = "search.py:semantic"`, or the entry point group `rung.retrievers`. What one finds stands
beside what the words find, and never in place of it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from worker.config.own_code import installed, load, require_async

GROUP = "rung.retrievers"
OwnRetriever = Callable[[Sequence[Any], Mapping[str, Any]], Awaitable[Sequence[Sequence[str]]]]


def retriever_names(retrievers: Iterable[str]) -> set[str]:
    """Every retriever that a policy can name."""
    return {*retrievers, *(entry.name for entry in entry_points(group=GROUP))}


def own_retrievers(retrievers: Mapping[str, str]) -> dict[str, OwnRetriever]:
    """The functions behind retrievers. Raises ConfigurationError for one that cannot be loaded."""
    found = {e.name: installed(f"retrievers.{e.name}", e) for e in entry_points(group=GROUP)}
    found |= {name: load(f"retrievers.{name}", where) for name, where in retrievers.items()}
    for name, function in found.items():
        require_async(f"retrievers.{name}", function)
    return found
