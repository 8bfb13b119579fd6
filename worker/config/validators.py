"""Every validator that can be named: built in, installed, or a function in a file of one's own.

An installed package offers them by the entry point group `rung.validators`; `[validators]` in
`rung.toml` names functions: `tone = "checks.py:tone"` or `tone = "mypackage.checks:tone"`. Foreign
code is not trusted with the event loop: it runs in a thread of its own, and one that takes longer
than `TIME_BOUND_S` is a finding. One that did so three times is not run again in this process. One
that never ends costs those three threads, and neither its neighbours nor the end of the process
wait for it.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from importlib.metadata import entry_points
from typing import Any

from worker.config.own_code import installed, load
from worker.config.settings import Settings
from worker.domain.validation import BUILTIN, OVERRAN, Draft, Validator

GROUP = "rung.validators"
TIME_BOUND_S = 0.25
MAX_OVERRUNS = 3


def load_validators(
    settings: Settings, *, time_bound_s: float = TIME_BOUND_S
) -> dict[str, Validator]:
    """Validators by name. Raises ConfigurationError for one that cannot be loaded."""
    found: dict[str, Validator] = dict(BUILTIN)
    for entry in entry_points(group=GROUP):
        found[entry.name] = TimeBoundValidator(
            entry.name, installed(f"validators.{entry.name}", entry), time_bound_s
        )
    for name, where in settings.validators.items():
        found[name] = TimeBoundValidator(name, load(f"validators.{name}", where), time_bound_s)
    return found


class TimeBoundValidator:
    """A foreign validator with a bound on its time."""

    def __init__(
        self, name: str, validator: Callable[..., Any], time_bound_s: float = TIME_BOUND_S
    ) -> None:
        self._name, self._validator, self._overruns = name, validator, 0
        self._bound_s = time_bound_s

    def __call__(self, draft: Draft, options: Mapping[str, Any]) -> str | None:
        """What the validator says, as text or None; its exceptions are raised as they are."""
        if self._overruns >= MAX_OVERRUNS:
            return f"the validator was switched off: it {OVERRAN} {self._bound_s:g} s three times"
        said: Future[Any] = Future()
        threading.Thread(
            target=self._run, args=(said, draft, options), name=f"validator {self._name}",
            daemon=True,
        ).start()  # fmt: skip
        try:
            result = said.result(self._bound_s)
        except TimeoutError:
            if said.done():
                raise
            self._overruns += 1
            return f"the validator {OVERRAN} {self._bound_s:g} s"
        return None if result is None else str(result)

    def _run(self, said: Future[Any], draft: Draft, options: Mapping[str, Any]) -> None:
        try:
            said.set_result(self._validator(draft, options))
        except BaseException as error:
            # SystemExit too: a validator ends its thread with it, and not the worker.
            said.set_exception(error if isinstance(error, Exception) else RuntimeError())
