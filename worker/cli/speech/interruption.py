"""SIGINT and SIGTERM while a command works: the first interrupts it, and it leaves things in order;
the second ends it, and so does `END_WITHIN_S` after the first, whatever it waits for. A server that
hangs would keep a command for ever: its driver waits for the server's word even then.
"""

import os
import signal
import sys
import threading
from types import FrameType

from worker.cli.exit_codes import EXIT_INTERRUPTED

EXIT_TERMINATED = 143
END_WITHIN_S = 8.0
DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)
LATE = "Ended although something was still under way: a server does not answer. See: rung doctor"


class Interruption:
    """Of this process."""

    def __init__(self) -> None:
        self._heard: int | None = None

    @property
    def code(self) -> int:
        """The exit code of a command that was interrupted."""
        return EXIT_TERMINATED if self._heard == signal.SIGTERM else EXIT_INTERRUPTED

    def listen(self) -> None:
        """From now on, for signals that nobody has given another meaning."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in DEFAULTS:
                signal.signal(number, self._hear)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._heard is not None:
            _end(self.code, "Interrupted again: ended at once.")
        self._heard = number
        end_within(END_WITHIN_S, self.code)
        raise KeyboardInterrupt


def end_within(seconds: float, code: int) -> None:
    """The process ends by then, with this exit code, unless that was asked for before. For the main
    thread; an alarm and no thread, so that a signal's handler may ask for it."""
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        return

    def late(_number: int, _frame: FrameType | None) -> None:
        _end(code, LATE)

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _end(code: int, words: str) -> None:
    try:
        sys.stderr.flush()
        os.write(2, f"\n{words}\n".encode())
    finally:
        os._exit(code)
