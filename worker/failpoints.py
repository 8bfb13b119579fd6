"""Named places where a process can be made to die, to prove that nothing depends on its living.

`RUNG_FAILPOINT="after claim:3"` ends the process, as `kill -9` would, the third time that the
place is passed. Unset, which is always so outside the fault suite, a failpoint is one look at a
variable.
"""

import os
import threading

NAMES = (
    "after deliver",
    "after claim",
    "before send",
    "after send",
    "before record",
    "after record",
    "before ack",
    "after dispatch mark",
    "after publish",
    "rescue half-way",
    "batch intended",
    "batch created",
    "batch submitted",
    "batch adopted",
    "batch cancelled",
    "batch looked",
    "batch half read",
    "batch read",
    "in a night",
    "after a night's run",
)
EXIT_STATUS = 137

_armed, _, _nth = os.environ.get("RUNG_FAILPOINT", "").partition(":")
_left = int(_nth or 1)
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Ends the process here if the environment says so."""
    if name != _armed:
        return
    global _left
    with _lock:
        _left -= 1
        if _left == 0:
            os._exit(EXIT_STATUS)
