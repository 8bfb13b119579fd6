"""The API keeps what its description promises, whatever is sent to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

from tests.support.schemas import values_of
from tests.support.servers import Servers, cloned
from tests.support.web import calling, dashboard
from tests.support.works import drain, hand_in, settings_for, working
from worker.dashboard.api.routes import ENDPOINTS
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State
from worker.store.engine import make_engine

METHODS = ("get", "post")
NAMES = st.sampled_from(["run", "1", "2", "run-0", "run-1", "none", "everything", "haiku"])
WEIRD = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=20)


@dataclass(frozen=True, slots=True)
class Described:
    """A served API and its description."""

    client: httpx2.Client
    document: dict[str, Any]

    def complaints(self, answer: httpx2.Response, operation: dict[str, Any]) -> list[str]:
        """Why an answer is not what the description says."""
        described = operation["responses"].get(str(answer.status_code))
        if described is None:
            return [f"{answer.status_code} is not described: {answer.text[:200]}"]
        kind = answer.headers["content-type"].partition(";")[0]
        if kind not in described["content"]:
            return [f"{answer.status_code} came as {kind}"]
        if not kind.endswith("json"):
            return []
        schema = described["content"][kind]["schema"]
        whole = closed({**schema, "components": self.document["components"]})
        documents = [answer.json()] if kind != "application/x-ndjson" else _lines(answer)
        return [
            error.message[:300]
            for found in documents
            for error in Draft202012Validator(whole).iter_errors(found)
        ]


def closed(schema: Any) -> Any:
    """The same, and what it does not name is not allowed: all that is served is described."""
    match schema:
        case list():
            return [closed(inner) for inner in schema]
        case dict():
            more = {"additionalProperties": False} if "properties" in schema else {}
            return more | {name: closed(inner) for name, inner in schema.items()}
    return schema


def _lines(answer: httpx2.Response) -> list[Any]:
    import orjson

    return [orjson.loads(line) for line in answer.text.splitlines()]


@pytest.fixture(scope="module")
def api(servers: Servers) -> Iterator[Described]:
    """With a worked-off run behind it, a dead job and one in review, and a run that waits."""
    with cloned(servers, "openapi") as url, running(State(latency_scale=0)) as simulator:
        engine = make_engine(url, pool_size=2)
        configured = settings_for(url, simulator)
        with working(configured) as runtime:
            hand_in(engine, configured, ["Where is my card?"] * 4, cap=Decimal(5))
            drain(runtime)
        hand_in(engine, configured, ["Where is my order?"] * 3, name="waits")
        _spoil(engine)
        engine.dispose()
        with dashboard(configured) as address, calling(address) as client:
            yield Described(client, client.get("/api/openapi.json").json())


def _spoil(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'dead', reason = 'r' WHERE id = 1"))
        connection.execute(text("UPDATE jobs SET state = 'review', reason = 'r' WHERE id = 2"))


def test_the_description_is_openapi_and_its_schemas_are_schemas(api: Described) -> None:
    # given
    document = api.document
    schemas = [*document["components"]["schemas"].values()]
    for path in document["paths"].values():
        for operation in path.values():
            schemas += [p["schema"] for p in operation["parameters"]]
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            schemas += [c["schema"] for b in bodies for c in b.get("content", {}).values()]
    # when
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
    refs = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document)))
    # then
    assert document["openapi"] == "3.1.0"
    assert set(document["components"]["schemas"]) == refs
    names = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(names) == len(set(names)) == len(ENDPOINTS)


def test_every_endpoint_is_described_with_its_path_parameters(api: Described) -> None:
    # given
    described = {
        (method.upper(), path): {p["name"] for p in op["parameters"] if p["in"] == "path"}
        for path, operations in api.document["paths"].items()
        for method, op in operations.items()
    }
    # then
    assert described == {(e.method, e.path): set(re.findall(r"{(\w+)}", e.path)) for e in ENDPOINTS}


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what the schema allows, sometimes anything."""
    return st.one_of(values_of(schema), values_of(schema), WEIRD, NAMES)


def requests(path: str, method: str, operation: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Requests for an operation: well-formed, odd, and plainly wrong."""

    @st.composite
    def request(draw: st.DrawFn) -> dict[str, Any]:
        address, query = path, {}
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                wanted = quote(str(draw(st.one_of(NAMES, NAMES, WEIRD))), safe="")
                address = address.replace(f"{{{parameter['name']}}}", wanted)
            elif parameter["in"] == "query" and draw(st.booleans()):
                value = draw(values(parameter["schema"]))
                query[parameter["name"]] = str(value).lower() if value in (True, False) else value
        content = operation.get("requestBody", {}).get("content", {})
        return {"method": method.upper(), "url": address, "params": query, **body(draw, content)}

    return request()


def body(draw: st.DrawFn, content: dict[str, Any]) -> dict[str, Any]:
    """The body of a request: a document, or a file."""
    if not content:
        return {}
    if len(content) == 1:
        found = draw(st.one_of(values_of(content["application/json"]["schema"]), JSON))
        if isinstance(found, dict) and "action" in found:
            found["run"] = draw(NAMES)
        return {"json": found}
    kind = draw(st.sampled_from([*content, "text/html"]))
    file = draw(st.one_of(st.binary(max_size=200), BACKLOGS))
    return {"headers": {"Content-Type": kind}, "content": file}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
BACKLOGS = st.sampled_from(
    [b'{"external_id": "x", "body": "Where is it?"}', b"external_id,body\ny,Where?\n", b"[]"]
)
OPERATIONS = sorted({(e.path, e.method.lower()) for e in ENDPOINTS})


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[" ".join(o) for o in OPERATIONS])
def test_whatever_is_sent_the_answer_is_one_that_is_described(
    api: Described, path: str, method: str
) -> None:
    operation = api.document["paths"][path][method]

    @settings(max_examples=25, derandomize=True)
    @given(request=requests(path, method, operation))
    def holds(request: dict[str, Any]) -> None:
        answer = api.client.request(**request)
        target(float(answer.status_code == 200), label="accepted")
        if answer.status_code == 404 and "no such page" in answer.text:
            return  # the gate refuses paths with tricks before any endpoint sees them
        assert answer.status_code < 500, answer.text
        assert api.complaints(answer, operation) == []

    holds()
