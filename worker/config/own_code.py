"""Functions of one's own: `FILE.py:FUNCTION`, `MODULE:FUNCTION`, or what a package offers."""

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from worker.domain.wording import did_you_mean
from worker.errors import ConfigurationError


def installed(setting: str, entry: EntryPoint) -> Callable[..., Any]:
    """What an installed package offers."""
    return _callable(setting, f"{entry.value} (an installed package)", entry.load)


def require_async(setting: str, function: Callable[..., Any]) -> None:
    """Raises ConfigurationError for a function that would hold up whoever else is asked."""
    if not inspect.iscoroutinefunction(function):
        raise ConfigurationError(
            f"{setting}: its function must be `async def`, for it is asked while others are."
        )


def load(setting: str, where: str) -> Callable[..., Any]:
    """The function that `setting` names. Raises ConfigurationError where there is none."""
    place, _, function = where.rpartition(":")
    if not place or not function:
        raise ConfigurationError(
            f"{setting} is {where!r}; it must be FILE.py:FUNCTION or MODULE:FUNCTION."
        )

    def find() -> Any:
        module = _file(setting, Path(place)) if place.endswith(".py") else _module(place)
        if not hasattr(module, function):
            own = [name for name, one in vars(module).items() if callable(one)]
            raise ConfigurationError(
                f"{setting}: {where} cannot be loaded: {place} has no {function!r}"
                f"{did_you_mean(function, own)}"
            )
        return getattr(module, function)

    return _callable(setting, where, find)


def _callable(setting: str, where: str, find: Callable[[], Any]) -> Callable[..., Any]:
    try:
        loaded = find()
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:  # a script, without `if __name__ == "__main__":`
        raise ConfigurationError(
            f"{setting}: {where} cannot be loaded ({type(error).__name__}: {error})."
        ) from None
    if not callable(loaded):
        raise ConfigurationError(f"{setting}: {where} is no function.")
    function: Callable[..., Any] = loaded
    return function


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _file(setting: str, path: Path) -> Any:
    if not path.is_file():
        raise ConfigurationError(
            f"{setting}: it cannot be loaded: there is no file {path}"
            f"{did_you_mean(path.name, names_beside(path))}"
        )
    name = "rung_own_" + setting.replace(".", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names_beside(path: Path) -> list[str]:
    """What lies in the folder that a path leads into; nothing where there is none."""
    try:
        return sorted(one.name for one in path.parent.iterdir())
    except OSError:
        return []


def names_offered(group: str, given: Iterable[str]) -> set[str]:
    """Those of the configuration, and those that installed packages offer."""
    return {*given, *(entry.name for entry in entry_points(group=group))}


def functions_of(
    section: str, group: str, given: Mapping[str, str]
) -> dict[str, Callable[..., Any]]:
    """The functions behind those names, each `async def`. Raises ConfigurationError for one that
    cannot be loaded."""
    found = {e.name: installed(f"{section}.{e.name}", e) for e in entry_points(group=group)}
    found |= {name: load(f"{section}.{name}", where) for name, where in given.items()}
    for name, function in found.items():
        require_async(f"{section}.{name}", function)
    return found
