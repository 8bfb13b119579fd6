"""What the code says of settings: every section of `rung.toml`, type, bounds and default."""

import ast
import inspect
import itertools
import textwrap
import types
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.support.docs_markdown import Row, Table, first_paragraph
from worker.config import loading
from worker.config.settings import Settings
from worker.domain import policy

POLICY_SECTIONS: dict[str, type[Any]] = {
    "policies.NAME": policy.Policy,
    "policies.NAME.start": policy.Start,
    "policies.NAME.start.rules": policy.Rule,
    "policies.NAME.accept": policy.Accept,
    "policies.NAME.accept.validators": policy.ValidatorUse,
    "policies.NAME.climb": policy.Climb,
    "policies.NAME.context": policy.ContextUse,
}
"""`Settings` holds policies as plain tables; these are the models that check them."""

PLAIN = {
    "int": "integer",
    "float": "number",
    "Decimal": "number",
    "str": "text",
    "bool": "true or false",
    "Path": "path",
    "SecretStr": "secret",
    "timedelta": "duration (`P7D`)",
}
BOUNDS = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))


def settings_tables() -> dict[str, Table]:
    """A table for every section."""
    return {f"settings:{name}": _table(model) for name, model in sections()}


def sections() -> Iterator[tuple[str, type[Any]]]:
    """Every table of `rung.toml` with the model behind it, `NAME` standing for a name."""
    yield "top", Settings
    for key, info in Settings.model_fields.items():
        inner = loading._section_of(info.annotation)
        if inner is not None:
            yield (f"{key}.NAME" if inner[1] else key), inner[0]
            yield from _named_sections(key, inner[0])
    yield from POLICY_SECTIONS.items()


def _named_sections(key: str, model: type[Any]) -> Iterator[tuple[str, type[Any]]]:
    for name, info in model.model_fields.items():
        inner = loading._section_of(info.annotation)
        if inner is not None and inner[1]:
            yield f"{key}.{name}.NAME", inner[0]


def _table(model: type[Any]) -> Table:
    words = attribute_docstrings(model)
    rows = (
        Row(name, (type_words(info.annotation, info.metadata), default), words.get(name, ""))
        for name, info, default in _fields(model)
    )
    intro = "" if model is Settings else first_paragraph(model)
    return Table(("setting", "type", "default", "meaning"), tuple(rows), intro)


def _fields(model: type[Any]) -> Iterator[tuple[str, FieldInfo, str]]:
    found: dict[str, FieldInfo] = (
        model.model_fields if issubclass(model, BaseModel) else model.__pydantic_fields__
    )
    for name, info in found.items():
        if model is not Settings or loading._section_of(info.annotation) is None:
            yield name, info, default_words(info)


def type_words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """A type as people say it: `integer, ≥ 1, ≤ 500`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        flat = [
            bound
            for extra in annotation.__metadata__
            for bound in (extra.metadata if isinstance(extra, FieldInfo) else [extra])
        ]
        return type_words(annotation.__origin__, [*flat, *metadata])
    if origin in (Union, types.UnionType):
        those = [one for one in arguments if one is not types.NoneType]
        return " or ".join(type_words(one, metadata) for one in those)
    if origin is Literal:
        return " or ".join(f"`{argument}`" for argument in arguments)
    bounds = [
        f"{sign} {getattr(bound, attribute)}"
        for bound in metadata
        for attribute, sign in BOUNDS
        if getattr(bound, attribute, None) is not None
    ]
    return ", ".join([_type_name(annotation, origin, arguments), *bounds])


def _type_name(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is tuple:
        return f"list of {type_words(arguments[0])}"
    if origin is not None or is_dataclass(annotation):
        return "table"
    return PLAIN.get(annotation.__name__, annotation.__name__)


def default_words(info: FieldInfo) -> str:
    """The default as it would be written in `rung.toml`."""
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if value is None:
        return "–"
    if is_dataclass(value) or (isinstance(value, dict | tuple) and value):
        return "see below"
    if isinstance(value, dict | tuple):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if hasattr(value, "days"):
        return f"`P{value.days}D`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def attribute_docstrings(model: type[Any]) -> dict[str, str]:
    """The string after each annotated attribute of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        before.target.id: str(after.value.value)
        for before, after in itertools.pairwise(body.body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
