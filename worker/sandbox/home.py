"""`RUNG_HOME`: the embedded services' data, and one `rung up` at a time."""

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.errors import RungError

MAX_SOCKET_DIR = 70
"""Characters; a unix socket's whole path may have about 107."""


def prepare(home: Path) -> Path:
    """Makes the directory. Others may pass through it (Postgres started by root runs as another
    user) but not look into it. Raises RungError where that is not possible."""
    home = home.absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711)
    except OSError as error:
        raise RungError(
            f"{home} cannot be Rung's folder: {(error.strerror or str(error)).lower()}.",
            mend="RUNG_HOME=FOLDER, where you may write",
        ) from None
    return home


def owner_only(path: str, flags: int) -> int:
    """For `open(…, opener=owner_only)`: others may not write what we believe later, whatever the
    umask."""
    return os.open(path, flags, 0o600)


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Holds the home for one `rung up`. Raises RungError when another has it."""
    with (home / "lock").open("a+") as lock:
        # Whoever may read it could hold it.
        os.fchmod(lock.fileno(), 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RungError(
                f"A `rung up` is running in {home} already.",
                mend="use it, stop it, or set RUNG_HOME to another directory",
            ) from None
        yield


def socket_directory(home: Path) -> Path:
    """A directory whose path is short enough for a unix socket, the same for the same home."""
    if len(str(home)) <= MAX_SOCKET_DIR:
        return home
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    directory = Path(tempfile.gettempdir()) / f"rung-{os.getuid()}-{name}"
    directory.mkdir(mode=0o711, exist_ok=True)
    found = directory.lstat()
    # The directory of temporary files is everybody's: somebody else may have made this one first.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise RungError(
            f"{directory} is not ours alone: another user made it, or may write into it.",
            mend="have it removed, or set RUNG_HOME to a shorter path",
        )
    return directory
