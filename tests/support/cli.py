"""The commands, run in this process: as fast as a function, with the console script's own way of
turning errors into sentences and exit codes."""

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

from worker.cli.exit_codes import guarded
from worker.cli.main import cli


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.out)


def say(*arguments: str) -> Said:
    """Runs `rung ARGUMENTS`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = guarded(
                lambda: cli.main(list(arguments), standalone_mode=False, prog_name="rung")
            )
        except SystemExit as stopped:
            code = int(stopped.code or 0)
    return Said(code, out.getvalue(), err.getvalue())
