"""Which folders of pages the policies name, and where they lie.

A folder is known by its name in `rung.toml`, so that every host means the same one; only who syncs
needs its pages, beside the `rung.toml` that names it.
"""

import os
from pathlib import Path

from worker.config.loading import config_path
from worker.config.policies import policy_named
from worker.config.settings import Settings


def folders_named(settings: Settings, policy: str | None = None) -> list[str]:
    """The folders of one policy, or of all of them. Raises ConfigurationError for a policy that is
    not there."""
    names = [policy] if policy else [settings.policy.preset, *settings.policies]
    found = [folder for name in names for folder in policy_named(settings, name).knowledge]
    return list(dict.fromkeys(found))


def place_of(folder: str) -> Path:
    """Where the pages of a folder lie."""
    path = config_path(os.environ, Path.cwd())
    return (path.parent if path is not None else Path.cwd()) / folder


def folder_of(settings: Settings, path: Path) -> str:
    """The name that a folder is known by: as a policy writes it, where one does."""
    named = {place_of(name).resolve(): name for name in folders_named(settings)}
    return named.get(path.resolve(), str(path))
