"""`[retrievers]`: functions of one's own that find passages for messages, by meaning for example.

`semantic = "search.py:semantic"`, or the entry point group `rung.retrievers`. What one finds stands
beside what the words find, and never in place of it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from worker.config.own_code import functions_of, names_offered

GROUP = "rung.retrievers"
OwnRetriever = Callable[[Sequence[Any], Mapping[str, Any]], Awaitable[Sequence[Sequence[str]]]]


def retriever_names(retrievers: Iterable[str]) -> set[str]:
    """Every retriever that a policy can name."""
    return names_offered(GROUP, retrievers)


def own_retrievers(retrievers: Mapping[str, str]) -> dict[str, OwnRetriever]:
    """The functions behind retrievers. Raises ConfigurationError for one that cannot be loaded."""
    return functions_of("retrievers", GROUP, retrievers)
