"""The Dockerfile's steps, and a way to run them without an engine: below a directory, as /."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FILE = ROOT / "Dockerfile"
TIMEOUT_S = 3_600
"""For one step: pip brings some hundred files, which a busy machine unpacks in many minutes."""
ABSOLUTE = re.compile(r"(?<![\w.])/(opt|src)\b")


class Step(NamedTuple):
    """One instruction, its continued lines joined."""

    word: str
    rest: str


def stages(text: str) -> list[list[Step]]:
    """The steps of each stage, its FROM first."""
    found: list[list[Step]] = []
    for step in _steps(text):
        if step.word == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Step(word.upper(), " ".join(rest.split()))


def build(root: Path, text: str, python: str = sys.executable, **arguments: str) -> None:
    """Runs the first stage's COPY and RUN steps as they stand, below `root`. Raises
    AssertionError with what the step said."""
    values: dict[str, str] = {}
    where = root
    for step in stages(text)[0]:
        match step.word:
            case "ARG":
                name, _, default = step.rest.partition("=")
                values[name] = arguments.get(name, default)
            case "WORKDIR":
                where = Path(_below(root, step.rest))
                where.mkdir(parents=True)
            case "COPY":
                _copy(step.rest, where)
            case "RUN":
                _run(_below(root, step.rest), where, python, values)


def _below(root: Path, words: str) -> str:
    return ABSOLUTE.sub(lambda match: f"{root}/{match[1]}", words)


def _copy(words: str, where: Path) -> None:
    *sources, target = words.split()
    for source in sources:
        if (ROOT / source).is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, where / target, ignore=skipped)
        else:
            shutil.copy(ROOT / source, where / target)


def _run(command: str, where: Path, python: str, values: dict[str, str]) -> None:
    home = where / ".bin"
    home.mkdir(exist_ok=True)
    if not (home / "python").exists():
        (home / "python").symlink_to(python)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_ENV")}
    environ = kept | values | {"PATH": f"{home}:/usr/local/bin:/usr/bin:/bin"}
    said = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=where,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    if said.returncode:
        raise AssertionError(f"{command}\n{said.stdout[-2000:]}\n{said.stderr[-2000:]}")
