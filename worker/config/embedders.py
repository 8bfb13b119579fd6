"""`[embedders]`: functions of one's own that turn texts into vectors, by which passages are found
where pgvector is in the database.

`mine = "embed.py:embed"`, or the entry point group `rung.embedders`. A policy names one as its
`context.retriever`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from worker.config.own_code import functions_of, names_offered

GROUP = "rung.embedders"
OwnEmbedder = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]


def embedder_names(embedders: Iterable[str]) -> set[str]:
    """Every embedder that a policy can name."""
    return names_offered(GROUP, embedders)


def own_embedders(embedders: Mapping[str, str]) -> dict[str, OwnEmbedder]:
    """The functions behind embedders. Raises ConfigurationError for one that cannot be loaded."""
    return functions_of("embedders", GROUP, embedders)
