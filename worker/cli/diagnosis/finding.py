"""One line of `rung doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One line. `ok` None is a note: a run could start, but somebody should know."""

    name: str
    ok: bool | None
    words: str
    mend: str | None = None
    exit_code: int = 0
