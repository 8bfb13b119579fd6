"""What a command writes to and is called with: any terminal, a file on a full disk, a pipe that
nobody reads, nothing at all."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from worker.errors import RungError, Unreachable, UsageError

NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
NO_RIGHT = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))


def ready() -> None:
    """Standard output and errors that take every character. Data in a pipe or a file is UTF-8,
    whatever the locale says; what a terminal cannot show is shown as its escape. Streams that were
    closed by whoever started us lead nowhere: the next file that is opened would get their place.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(free)
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _nowhere() -> io.TextIOWrapper:
    return Path(os.devnull).open("w", encoding="utf-8")


def let_go() -> None:
    """What could not be written is not tried again while Python ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError), _nowhere() as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


def complaint_of(error: Exception, arguments: Iterable[str]) -> RungError | None:
    """The sentence for what the machine, and not Rung, is to blame for; None for anything else."""
    if isinstance(error, UnicodeError | TypeError | ValueError):
        return _no_text(arguments)
    if not isinstance(error, OSError) or error.errno is None:
        return None
    words = error.strerror or os.strerror(error.errno)
    where = f": {error.filename}" if isinstance(error.filename, str) else ""
    if isinstance(error, ConnectionError | TimeoutError):
        return Unreachable(f"A connection was lost: {words}.", mend="rung doctor")
    return RungError(f"The system says: {words}{where}.", mend=_mend(error.errno))


def _mend(number: int) -> str | None:
    if number in NO_ROOM:
        return "make room where it is written to (df -h says where there is none), and run it again"
    if number in NO_RIGHT:
        return "run it as a user, or in a directory, that may write there"
    if number in (errno.EMFILE, errno.ENFILE):
        return "ulimit -n 4096, and run it again"
    return None


def _no_text(arguments: Iterable[str]) -> RungError | None:
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode("utf-8", "backslashreplace").decode()
            return UsageError(
                f"{shown} holds bytes that are no text here.",
                mend="write it in UTF-8, in a locale of UTF-8: LC_ALL=C.UTF-8",
            )
    return None
