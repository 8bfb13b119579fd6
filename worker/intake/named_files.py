"""Files that people name and that are not there, or are none."""

from collections import Counter
from pathlib import Path
from shlex import quote

from worker.config.own_code import names_beside
from worker.domain.backlog import BacklogError
from worker.domain.wording import did_you_mean
from worker.errors import Missing, UsageError


def no_such_file(path: Path) -> Missing:
    """The error for a name that no file has, with the nearest one that there is."""
    beside = names_beside(path)
    if not beside and not path.parent.is_dir():
        return Missing(f"There is no folder {path.parent}.", mend="ls")
    near = did_you_mean(path.name, beside)
    return Missing(f"There is no file {path}{near}", mend=f"ls {quote(str(path.parent))}")


def a_folder(path: Path) -> BacklogError:
    """The error for a folder, with the command for what it holds most of."""
    names = (name for name in names_beside(path / "x") if not name.startswith("."))
    endings = Counter(Path(name).suffix for name in names if (path / name).is_file())
    if not endings:
        return BacklogError(f"{path} is a folder, and no file is in it.", mend="name a file")
    ((ending, _),) = endings.most_common(1)
    return BacklogError(
        f"{path} is a folder.", mend=f"rung enqueue {quote(str(path))}/*{quote(ending)}"
    )


def unreadable(path: Path, error: OSError) -> UsageError:
    """The error for a file that is there."""
    return UsageError(
        f"{path} cannot be read: {(error.strerror or str(error)).lower()}.",
        mend=f"ls -l {quote(str(path))}",
    )
