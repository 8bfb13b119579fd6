"""The OpenAPI 3.1 description, made of the table of endpoints."""

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from worker.dashboard.api.endpoints import Endpoint
from worker.dashboard.api.schemas import ProblemDocument

ALWAYS = (400, 401, 403, 500, 503)
"""Problems that any endpoint may answer with."""
WORDS = {
    400: "The request cannot be read.",
    401: "Who asks is not known.",
    403: "Who asks may not, or the CSRF token is missing.",
    404: "There is no such thing.",
    409: "Not in this state, or not just now.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "The body holds what cannot be used.",
    500: "A bug of Rung's own.",
    503: "Postgres does not answer just now.",
}
INTRO = (
    "What the dashboard shows and does. Programs send `Authorization: Bearer TOKEN`; a browser's"
    " session must send `X-CSRF-Token` with every change. Errors are problem details (RFC 9457)."
)


PROBLEM, SUFFIX = "problem", "Document"
REFERENCE = "#/components/schemas/{model}"


class Numbers(GenerateJsonSchema):
    """Sums and shares leave as numbers."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        """As `endpoints.encode` writes them."""
        return {"type": "number"}


def description(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document at `/api/openapi.json`."""
    answers = {_name(endpoint): endpoint.answer for endpoint in endpoints} | {
        PROBLEM: ProblemDocument
    }
    made, shared = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(answer)) for name, answer in answers.items()],
        ref_template=REFERENCE,
        schema_generator=Numbers,
    )
    schemas = {name: _plain(schema) for (name, _), schema in made.items()}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rung", "version": version("rung"), "description": INTRO},
        "paths": paths,
        "components": {
            "schemas": _plain(shared["$defs"]),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "rung_session"},
            },
        },
        "security": [{"token": []}, {"session": []}, {}],
    }


def _operation(endpoint: Endpoint, schemas: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(endpoint),
        "summary": endpoint.summary,
        "parameters": list(_parameters(endpoint)),
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": _plain(endpoint.body.model_json_schema())}}
        operation["requestBody"] = {"required": True, "content": content}
    elif endpoint.takes:
        content = {kind: {"schema": {"type": "string"}} for kind in endpoint.takes}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    known = _plain(endpoint.query.model_json_schema()).get("properties", {})
    for name, schema in known.items():
        yield {"name": name, "in": "query", "required": False, "schema": schema}
    for name, words in endpoint.headers.items():
        schema = {"type": "string", "minLength": 1, "maxLength": 200}
        yield {"name": name, "in": "header", "schema": schema, "description": words}


def _responses(endpoint: Endpoint, schemas: Mapping[str, Any]) -> dict[str, Any]:
    good = {kind: {"schema": schemas[_name(endpoint)]} for kind in endpoint.gives}
    responses: dict[str, Any] = {"200": {"description": endpoint.summary, "content": good}}
    if endpoint.upload is not None:
        responses["201"] = {"description": "A new run was made.", "content": good}
    for status in sorted({*ALWAYS, *endpoint.problems}):
        content = {"application/problem+json": {"schema": schemas[PROBLEM]}}
        responses[str(status)] = {"description": WORDS[status], "content": content}
    return responses


def _plain(schema: Any) -> Any:
    """Without the titles that pydantic makes of names, and with models named as what they tell of:
    `Run` for `RunDocument`."""
    match schema:
        case list():
            return [_plain(inner) for inner in schema]
        case dict():
            return {
                name.removesuffix(SUFFIX): value.removesuffix(SUFFIX)
                if name == "$ref"
                else _plain(value)
                for name, value in schema.items()
                if name != "title" or not isinstance(value, str)
            }
    return schema


def _name(endpoint: Endpoint) -> str:
    """`get_runs_run_results` of `GET /api/runs/{run}/results`."""
    words = re.findall(r"\w+", endpoint.path.removeprefix("/api"))
    return "_".join([endpoint.method.lower(), *words])
