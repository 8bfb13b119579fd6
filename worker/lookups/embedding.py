"""Passages seen by embedders: what `rung knowledge sync` does beside the words."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from sqlalchemy import Engine

from worker.config.embedders import OwnEmbedder, own_embedders
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.vectors import VectorsRefused, read_vectors
from worker.domain.wording import plural
from worker.store.vectors import embed_folder, install_pgvector

PATIENCE_S = 120.0
"""For one question, of 64 texts at most."""


def embedders_of(settings: Settings, folder: str) -> dict[str, OwnEmbedder]:
    """Those that policies with this folder name. Raises ConfigurationError."""
    known = own_embedders(settings.embedders)
    names = (settings.policy.preset, *settings.policies)
    using = (policy_named(settings, name) for name in names)
    named = (one.context.retriever for one in using if folder in one.knowledge)
    return {name: known[name] for name in dict.fromkeys(named) if name and name in known}


def embed_folders(settings: Settings, engine: Engine, folders: Iterable[str]) -> list[str]:
    """Has embedders look at what changed in these folders; a sentence for each, also where it could
    not be done: then words alone find passages."""
    wanted = [(folder, embedders_of(settings, folder)) for folder in folders]
    if not any(embedders for _, embedders in wanted):
        return []
    if (why := install_pgvector(engine)) is not None:
        return [f"No vectors are kept: {why}. Passages are found by words alone."]
    with asyncio.Runner() as runner:
        return [
            _embedded(runner.run, engine, folder, name, embed)
            for folder, embedders in wanted
            for name, embed in embedders.items()
        ]


def _embedded(
    run: Callable[[Coroutine[Any, Any, Any]], Any],
    engine: Engine,
    folder: str,
    name: str,
    embed: OwnEmbedder,
) -> str:
    def asked(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return read_vectors(run(_in_time(embed, texts)), len(texts))

    try:
        found = embed_folder(engine, folder, name, asked)
    except VectorsRefused as error:
        why = str(error)
    except TimeoutError:
        why = f"did not answer within {PATIENCE_S:g} s"
    except Exception as error:
        why = f"failed with {type(error).__name__}"
    else:
        index = ", with an index" if found.indexed else ""
        return f"{folder}: {plural(found.passages, 'vector')} by {name} ({found.asked} new){index}"
    return f"{folder}: embedder {name} {why}; what it has not seen is found by words alone."


async def _in_time(embed: OwnEmbedder, texts: Sequence[str]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return await embed(texts)
