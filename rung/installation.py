"""Whose packages are found under our names?

Rung's packages have common names (`worker`, `models`, `migrations`), and so may yours. Nothing but
the standard library is imported here, and none of the packages that are looked for.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

OURS = {
    "worker": '"""What happens.',
    "models": '"""What is stored:',
    "migrations": '"""How the schema came to be:',
}
"""Our packages, and how their first file begins."""
HOME = Path(__file__).resolve().parents[1]
EXIT_CONFIGURATION = 6
MEND = (
    "install Rung into an environment of its own, take that place out of PYTHONPATH, or start its"
    " workers with `rung worker`, which does not look in the working directory"
)


def complaint() -> str | None:
    """Whose package stands where one of ours should be; None when all are ours."""
    for name in OURS:
        found = _place(name)
        if found is None:
            return f"Rung's package {name!r} is not installed beside it in {HOME}."
        if found.parent != HOME:
            return f"Rung needs its own package {name!r}, and Python finds the one in {found}."
        if not _is_written_by_us(name, found):
            return f"Another installed program has written over Rung's own package in {found}."
    return None


def _is_written_by_us(name: str, place: Path) -> bool:
    """pip lets the later of two programs overwrite the earlier one's files without a word."""
    try:
        text = (place / "__init__.py").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return text.startswith(OURS[name])


def require_own() -> None:
    """Ends the process with a sentence where another's package would be taken for ours."""
    if (found := complaint()) is not None:
        sys.stderr.write(f"rung: {found}\nFix: {MEND}\n")
        raise SystemExit(EXIT_CONFIGURATION)


def _place(name: str) -> Path | None:
    """The directory of a package, without importing it."""
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__:
        return Path(loaded.__file__).resolve().parent
    spec = PathFinder.find_spec(name)
    if spec is None:
        # An editable installation may find its packages by a finder of its own.
        return HOME / name if (HOME / name / "__init__.py").is_file() else None
    if spec.origin:
        return Path(spec.origin).resolve().parent
    return Path(next(iter(spec.submodule_search_locations or [""]))).resolve()
