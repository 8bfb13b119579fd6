"""Errors that people see: what happened, where, and what mends it.

```
RungError                 1   failed
├── UsageError            2   the command cannot mean anything
│   └── Missing           2   what is named does not exist
├── TooExpensive          4   more than the person is ready to pay
├── Unreachable           5   Postgres, Redis or Claude does not answer
└── ConfigurationError    6   rung.toml or the environment
    └── SchemaBehind      6   the database has not been migrated
```

The numbers are exit codes. Inside Rung, outcomes are values (`worker.domain`); exceptions are for
infrastructure and for people's mistakes.
"""

import sys
from shlex import quote


def installing(extra: str) -> str:
    """The command that adds an extra to the environment in which this runs: the `pip` of a shell is
    often another's."""
    return f"{quote(sys.executable)} -m pip install 'rung[{extra}]'"


class RungError(Exception):
    """Something that a person must know. `mend` is a command or an edit, without a full stop."""

    exit_code = 1

    def __init__(self, message: str, *, mend: str | None = None) -> None:
        super().__init__(message)
        self.mend = mend


class UsageError(RungError):
    """The command, as given, cannot mean anything."""

    exit_code = 2


class Missing(UsageError):
    """There is no such run, job, queue or action."""


class TooExpensive(RungError):
    """It would probably cost more than the person is ready to pay; nothing was begun."""

    exit_code = 4


class Unreachable(RungError):
    """A service does not answer."""

    exit_code = 5


class ConfigurationError(RungError):
    """The configuration cannot be used. `problems` holds a sentence for each thing wrong."""

    exit_code = 6

    def __init__(self, problems: list[str] | str, *, mend: str | None = None) -> None:
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__("\n".join(self.problems), mend=mend)


class SchemaBehind(ConfigurationError):
    """The database's schema is not the one that this version needs."""
