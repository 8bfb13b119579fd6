"""Maps of columns: as `--map` says them, as rung.toml remembers them, and those that come with
Rung."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Any

from worker.domain.wording import nearest_name
from worker.errors import RungError, UsageError
from worker.intake.layouts import FIELDS
from worker.intake.presets import PRESETS

LAST = "last-map.json"
Maps = Mapping[str, Mapping[str, str]]


def columns_of(said: Iterable[str], saved: Maps) -> tuple[dict[str, str], dict[str, str]]:
    """What `--map` says: explicit columns (`body=Message`), and those of maps that are named
    (`zendesk`), where what is saved comes before what is shipped. Raises UsageError."""
    explicit: dict[str, str] = {}
    named: dict[str, str] = {}
    for one in said:
        field, equals, place = one.partition("=")
        if equals:
            explicit[field.strip()] = checked(field.strip(), place, f"--map {one!r}")
        else:
            named |= map_named(one, saved)
    return explicit, named


def map_named(name: str, saved: Maps) -> Mapping[str, str]:
    """Raises UsageError, naming the nearest, when there is none."""
    if name in saved:
        return saved[name]
    if name in PRESETS:
        return PRESETS[name].columns
    known = [*saved, *PRESETS]
    near = nearest_name(name, [*known, *(f"{field}=" for field in FIELDS)])
    hint = f" Did you mean {near}?" if near else ""
    raise UsageError(
        f"--map {name!r} is neither FIELD=COLUMN nor the name of a map.{hint}",
        mend=f"use one of: {', '.join(known)}; or FIELD=COLUMN with {', '.join(FIELDS)}",
    )


def checked(field: str, place: str, where: str) -> str:
    """The place, if it is one and the field is ours. Raises UsageError."""
    if field not in FIELDS or not place.strip():
        raise UsageError(
            f"{where} is not FIELD=COLUMN with a field of ours.",
            mend=f"use one of: {', '.join(FIELDS)}",
        )
    return place


def remember(home: Path, columns: Mapping[str, str]) -> None:
    """Keeps the columns of what was submitted last, for `rung map save NAME`. They are no message's
    text; where they cannot be kept, nothing is lost."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        path = home / LAST
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(dict(columns), out, ensure_ascii=False)
    except OSError:
        pass


def remembered(home: Path) -> dict[str, str]:
    """The columns of what was submitted last. Raises RungError when there are none."""
    try:
        columns = json.loads((home / LAST).read_text("utf-8"))
    except (OSError, ValueError):
        columns = None
    if not isinstance(columns, dict) or not columns:
        raise RungError(
            "Nothing was submitted from here whose columns had other names than ours.",
            mend="rung map save NAME --map external_id=COLUMN --map body=COLUMN",
        )
    return {str(field): str(place) for field, place in columns.items()}


def save(path: Path, name: str, columns: Mapping[str, str], *, replace: bool) -> None:
    """Writes `[intake.maps.NAME]` into a rung.toml, which stays as it is otherwise. Raises
    RungError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = (
            tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
        )
        intake = document.setdefault("intake", tomlkit.table(is_super_table=True))
        maps = intake.setdefault("maps", tomlkit.table(is_super_table=True))
        if name in maps and not replace:
            raise RungError(
                f"{path} has a map {name!r} already.",
                mend=f"rung map save {quote(name)} --replace, with the columns as before",
            )
        table = tomlkit.table()
        for field in FIELDS:
            if field in columns:
                table[field] = columns[field]
        maps[name] = table
        _written(path, tomlkit.dumps(document))
    except (OSError, TOMLKitError, AttributeError, TypeError) as error:
        raise RungError(f"{path} cannot be changed: {error}.", mend="rung config check") from None


def _written(path: Path, text: str) -> None:
    """All of it or nothing: another may read the file at this moment. Whose it is and who may read
    it stays, for it may hold secrets; so does a link that leads to it."""
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        if path.exists():
            was = path.stat()
            with suppress(PermissionError):
                os.chown(beside, was.st_uid, was.st_gid)
            beside.chmod(was.st_mode & 0o777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
