"""Finds and reads the configuration: `rung.toml`, then the environment, then a running sandbox.

Unknown keys and unknown `RUNG_*` names are errors with a suggestion: a setting that does nothing
is worse than none.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from worker.config.settings import Settings
from worker.domain.wording import did_you_mean
from worker.errors import ConfigurationError

PREFIX, NESTING = "RUNG_", "__"
FILE_NAME = "rung.toml"
PLAIN_NAMES = {
    "DATABASE_URL": "database_url",
    "REDIS_URL": "redis_url",
    "ANTHROPIC_API_KEY": "anthropic_api_key",
    "ANTHROPIC_BASE_URL": "anthropic_base_url",
}
NOT_SETTINGS = frozenset(
    {"RUNG_CONFIG", "RUNG_HOME", "RUNG_DEMO", "RUNG_FAILPOINT", "RUNG_TRACEBACK", "RUNG_TEST_RUN"}
    | {"RUNG_URL", "RUNG_TOKEN"}
)
"""Read elsewhere, or by programs that use the client (docs/api.md), so not unknown."""
SQLITE = "sqlite:///"
MEND = "correct that (docs/configuration.md lists every setting), then rung config check"
UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
"""How pydantic calls a name that nobody knows."""
SECRET_FILE_SUFFIX = "_FILE"  # noqa: S105 - a suffix, not a secret


def load_settings(
    environ: Mapping[str, str] | None = None, directory: Path | None = None
) -> Settings:
    """Settings of this process. Raises ConfigurationError with every problem as a sentence."""
    environ = os.environ if environ is None else environ
    path = config_path(environ, directory or Path.cwd())
    document = _read(path) if path is not None else {}
    where = str(path) if path is not None else "the environment"
    problems = list(_overlay_environment(document, environ))
    problems += list(_unknown_keys(document, Settings, where))
    if problems:
        raise ConfigurationError(problems, mend=MEND)
    _make_absolute(document, path.parent if path is not None else Path.cwd())
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise ConfigurationError(
            [sentence(dict(e), where, Settings.model_json_schema()) for e in error.errors()],
            mend=MEND,
        ) from None


def config_path(environ: Mapping[str, str], directory: Path) -> Path | None:
    """`RUNG_CONFIG`, or `rung.toml` in the working directory; None when there is none."""
    if named := environ.get("RUNG_CONFIG"):
        if not Path(named).is_file():
            raise ConfigurationError(
                f"RUNG_CONFIG names {named}, and there is no such file.",
                mend="unset RUNG_CONFIG, or point it at your rung.toml",
            )
        return Path(named)
    path = directory / FILE_NAME
    return path if path.is_file() else None


def sentence(error: Mapping[str, Any], where: str, schema: Mapping[str, Any] | None = None) -> str:
    """One pydantic error as a sentence that names the setting and its place; `schema` is that of
    the whole, from which the nearest name of an unknown one is taken."""
    location = ".".join(str(part) for part in error["loc"])
    if error["type"] in UNKNOWN:
        known = known_at(schema or {}, error["loc"][:-1])
        return f"{where}: {location} is not a setting{did_you_mean(str(error['loc'][-1]), known)}"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "it must")
    return f"{where}: {location}: {message}." if location else f"{where}: {message}."


def known_at(schema: Mapping[str, Any], place: Sequence[str | int]) -> list[str]:
    """The names that a JSON schema knows at a place in what it describes."""
    found = [dict(schema)]
    for part in [*place, None]:
        here = [one for schema_ in found for one in _unfolded(schema_, schema)]
        if part is None:
            return [name for one in here for name in one.get("properties", {})]
        found = [inner for one in here if (inner := _inside(one, part)) is not None]
    return []


def _inside(schema: Mapping[str, Any], part: str | int) -> dict[str, Any] | None:
    """The schema of one element, or of one property; those without names of their own are alike."""
    inner = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
    inner = inner if inner is not None else schema.get("additionalProperties")
    return inner if isinstance(inner, dict) else None


def _unfolded(schema: dict[str, Any], root: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Without references and alternatives."""
    if reference := schema.get("$ref"):
        return _unfolded(root["$defs"][reference.rpartition("/")[2]], root)
    either = schema.get("anyOf")
    return [one for s in either for one in _unfolded(s, root)] if either else [schema]


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8.", mend="save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.") from None


def _overlay_environment(document: dict[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """Writes environment values over the file's; yields a problem for each unknown name."""
    for name, key in PLAIN_NAMES.items():
        if value := environ.get(name):
            document[key] = value
        elif file := environ.get(name + SECRET_FILE_SUFFIX):
            try:
                document[key] = Path(file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                yield f"the environment: {name}{SECRET_FILE_SUFFIX} names {file}: {error}."
    if home := environ.get("RUNG_HOME"):
        document["home"] = home
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        keys = name.removeprefix(PREFIX).lower().split(NESTING)
        if keys[0] not in Settings.model_fields:
            known = [PREFIX + field.upper() for field in Settings.model_fields]
            yield f"the environment: {name} is not a setting{did_you_mean(name, known)}"
            continue
        if not _put(document, keys, _value(value)):
            yield f"the environment: {name} cannot be set: a part of its name has a value already."


def _put(document: dict[str, Any], keys: list[str], value: Any) -> bool:
    """Whether there was room: a value already stands where a section would have to."""
    *parents, last = keys
    for key in parents:
        section = document.setdefault(key, {})
        if not isinstance(section, dict):
            return False
        document = section
    document[last] = value
    return True


def _value(text: str) -> Any:
    """JSON where it is a JSON list or object; otherwise text, which pydantic converts."""
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _unknown_keys(
    document: Mapping[str, Any], model: type[BaseModel], where: str, path: str = ""
) -> Iterator[str]:
    for key, value in document.items():
        field = model.model_fields.get(key)
        if field is None:
            hint = did_you_mean(key, list(model.model_fields))
            yield f"{where}: {path}{key} is not a setting{hint}"
            continue
        inner = _section_of(field.annotation)
        if inner is None or not isinstance(value, Mapping):
            continue
        if inner[1]:
            for name, entry in value.items():
                if isinstance(entry, Mapping):
                    yield from _unknown_keys(entry, inner[0], where, f"{path}{key}.{name}.")
        else:
            yield from _unknown_keys(value, inner[0], where, f"{path}{key}.")


def _section_of(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """The section behind a field, and whether the field maps names to sections."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    arguments = get_args(annotation)
    if len(arguments) == 2 and isinstance(arguments[1], type):
        return (arguments[1], True) if issubclass(arguments[1], BaseModel) else None
    return None


def _make_absolute(document: dict[str, Any], base: Path) -> None:
    """Paths in the file are relative to the file."""
    prompts = document.get("prompts")
    if isinstance(prompts, dict) and isinstance(prompts.get("dir"), str):
        prompts["dir"] = str(base / prompts["dir"])
    policies = document.get("policies")
    for one in policies.values() if isinstance(policies, dict) else ():
        if isinstance(one, dict) and isinstance(one.get("prompts"), str):
            one["prompts"] = str((base / one["prompts"]).absolute())
    for section in ("validators", "retrievers", "embedders"):
        functions = document.get(section)
        if isinstance(functions, dict):
            own = {n: w for n, w in functions.items() if isinstance(w, str) and ".py:" in w}
            functions |= {name: str(base / where) for name, where in own.items()}
    lookups = document.get("lookups")
    for one in lookups.values() if isinstance(lookups, dict) else ():
        if isinstance(one, dict):
            _lookup_made_absolute(one, base)


def _lookup_made_absolute(one: dict[str, Any], base: Path) -> None:
    """A function's file, and a database that is one."""
    path, url = one.get("path"), one.get("database_url")
    if isinstance(path, str) and ".py:" in path:
        one["path"] = str(base / path)
    if isinstance(url, str) and url.startswith(SQLITE):
        one["database_url"] = SQLITE + str((base / url.removeprefix(SQLITE)).absolute())
