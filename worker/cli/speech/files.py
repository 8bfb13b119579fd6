"""Files that commands write: whole or not at all, for their owner's eyes, and what was there is not
lost unasked."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import IO, Any

import click

from worker.errors import RungError, UsageError

FORCE: Callable[[Any], Any] = click.option(
    "--force", is_flag=True, help="Write over a file that is there."
)


@contextmanager
def new_path(path: Path, *, force: bool) -> Iterator[Path]:
    """A file beside the target to write to; it takes the target's place when all is well, so that a
    reader never sees half of one. A link that stands there is replaced, and not followed. Raises
    UsageError for what is there already, or is no file, and RungError for what cannot be written.
    """
    if not path.parent.is_dir():
        raise UsageError(
            f"There is no directory {path.parent}.", mend=f"mkdir -p {quote(str(path.parent))}"
        )
    if _is_special(path):
        raise UsageError(
            f"{path} is no file, and none is put in its place.",
            mend="name a file where none is, as /tmp/NAME",
        )
    if not force and os.path.lexists(path):
        raise _exists(path)
    try:
        descriptor, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part"
        )
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            _put(temporary, path, force=force)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise RungError(
            f"{path} cannot be written: {words_of(error)}.",
            mend="name a file where you may write and where there is room, as /tmp/NAME",
        ) from None


@contextmanager
def new_text(path: Path, *, force: bool) -> Iterator[IO[str]]:
    """The same, opened for CSV or JSON."""
    with (
        new_path(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        yield stream


def _is_special(path: Path) -> bool:
    """Whether a device, a pipe or a socket stands there, or a link to what a process has open
    (/dev/stdout): whoever may write into /dev would put a file where all programs look for it."""
    try:
        there = path.stat().st_mode
    except OSError:
        return False
    opened = path.is_symlink() and str(path.readlink()).startswith("/proc/")
    return opened or not (stat.S_ISREG(there) or stat.S_ISDIR(there))


def _put(temporary: Path, path: Path, *, force: bool) -> None:
    """A hard link fails where somebody has made the file meanwhile; not every disk has them."""
    if not force:
        try:
            os.link(temporary, path)
            return
        except FileExistsError:
            raise _exists(path) from None
        except OSError:
            pass
    temporary.replace(path)


def _exists(path: Path) -> UsageError:
    return UsageError(f"{path} is there already.", mend="name another file, or add --force")


def words_of(error: OSError) -> str:
    """The system's words: libraries that raise errors of its kinds write theirs around them."""
    return os.strerror(error.errno) if error.errno else error.strerror or str(error)
