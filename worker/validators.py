"""Every validator that can be named: built in, installed, or a function in a file of one's own.

An installed package offers them by the entry point group `rung.validators`; `[validators]` in
`rung.toml` names functions: `tone = "checks.py:tone"` or `tone = "mypackage.checks:tone"`. Foreign
code is not trusted with the event loop: it runs in a thread, and one that takes longer than
`TIME_BOUND_S` is a finding. One that did so three times is not run again in this process.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from worker.domain.validation import BUILTIN, Draft, Validator
from worker.errors import ConfigurationError
from worker.settings import Settings

GROUP = "rung.validators"
TIME_BOUND_S = 0.25
MAX_OVERRUNS = 3
THREADS = 4


def load_validators(settings: Settings) -> dict[str, Validator]:
    """Validators by name. Raises ConfigurationError for one that cannot be loaded."""
    found: dict[str, Validator] = dict(BUILTIN)
    for entry in entry_points(group=GROUP):
        found[entry.name] = Bounded(entry.name, entry.load())
    for name, where in settings.validators.items():
        found[name] = Bounded(name, _load(name, where))
    return found


class Bounded:
    """A foreign validator with a bound on its time."""

    _pool = ThreadPoolExecutor(THREADS, thread_name_prefix="validator")

    def __init__(self, name: str, validator: Callable[..., Any]) -> None:
        self._name, self._validator, self._overruns = name, validator, 0

    def __call__(self, draft: Draft, options: Mapping[str, Any]) -> str | None:
        """What the validator says, as text or None; its exceptions are raised as they are."""
        if self._overruns >= MAX_OVERRUNS:
            return "the validator was switched off: it took too long three times"
        future = self._pool.submit(self._validator, draft, options)
        try:
            said = future.result(TIME_BOUND_S)
        except TimeoutError:
            if future.done():
                raise
            self._overruns += 1
            return f"the validator took longer than {TIME_BOUND_S} s"
        return None if said is None else str(said)[:300]


def _load(name: str, where: str) -> Callable[..., Any]:
    place, _, function = where.rpartition(":")
    if not place or not function:
        raise ConfigurationError(
            f"validators.{name} is {where!r}; it must be FILE.py:FUNCTION or MODULE:FUNCTION."
        )
    try:
        module = (
            _file(name, Path(place)) if place.endswith(".py") else importlib.import_module(place)
        )
        loaded: Callable[..., Any] = getattr(module, function)
    except Exception as error:
        raise ConfigurationError(
            f"validators.{name}: {where} cannot be loaded ({type(error).__name__}: {error})."
        ) from None
    return loaded


def _file(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"rung_validator_{name}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
