"""docker-compose.yml: shaped as the Compose Specification says, and safe to run as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.support.commands import known_queues, queues_of
from worker.cli.diagnosis.releases import what_it_lacks
from worker.config.settings import Settings

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docker-compose.yml"
LOOPBACK_PORT = re.compile(r"127\.0\.0\.1:\d{1,5}:\d{1,5}")
REQUIRED_VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")
ANY_VARIABLE = re.compile(r"\$\{(\w+)")

DURATION = {"type": "string", "pattern": r"^(\d+(us|ms|s|m|h))+$"}
STRINGS = {"type": "array", "items": {"type": "string"}}
CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"]
SERVICE = {
    "type": "object",
    "properties": {
        "build": {"type": ["string", "object"]},
        "image": {"type": "string", "pattern": r"^[a-z0-9./_-]+:[\w.-]+$"},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "environment": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "null"]},
        },
        "entrypoint": STRINGS,
        "command": STRINGS,
        "stop_grace_period": DURATION,
        "ports": STRINGS,
        "volumes": STRINGS,
        "profiles": STRINGS,
        "secrets": STRINGS,
        "user": {"type": "string", "pattern": r"^[1-9]\d*:\d+$"},
        "shm_size": {"type": "string", "pattern": r"^\d+[kmg]b$"},
        "init": {"type": "boolean"},
        "read_only": {"type": "boolean"},
        "tmpfs": STRINGS,
        "cap_drop": STRINGS,
        "security_opt": STRINGS,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"condition": {"enum": CONDITIONS}},
                "required": ["condition"],
                "additionalProperties": False,
            },
        },
        "healthcheck": {
            "type": "object",
            "properties": {
                "test": {**STRINGS, "minItems": 2},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer", "minimum": 1},
            },
            "required": ["test"],
            "additionalProperties": False,
        },
    },
    "required": ["image"],
    "additionalProperties": False,
}
COMPOSE = {
    "type": "object",
    "properties": {
        "services": {"type": "object", "additionalProperties": SERVICE, "minProperties": 1},
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "volumes": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
        "secrets": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"environment": {"type": "string"}},
                "required": ["environment"],
                "additionalProperties": False,
            },
        },
    },
    "patternProperties": {"^x-": {}},
    "required": ["services"],
    "additionalProperties": False,
}
"""The part of the Compose Specification that our file uses, narrower where we want less: a new
attribute is added here after a look into the specification."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def seconds(duration: str) -> float:
    """`3m30s` as 210."""
    sizes = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3_600}
    parts = re.findall(r"(\d+)(us|ms|s|m|h)", duration)
    return sum(int(number) * sizes[unit] for number, unit in parts)


def has_known_fixes(image: str) -> bool:
    """Whether a server's image has its security fixes; a floating tag is not known to."""
    name, _, tag = image.partition(":")
    product = {"redis": "Redis", "postgres": "PostgreSQL"}[name]
    exact = {"Redis": r"\d+\.\d+\.\d+", "PostgreSQL": r"\d+\.\d+"}[product]
    version = re.match(exact, tag)
    return version is not None and what_it_lacks(product, version[0]) is None


def command_of(service: dict[str, Any]) -> list[str]:
    """What runs in the container of a service of ours."""
    return [*service.get("entrypoint", ["rung"]), *service.get("command", [])]


def consumed(service: dict[str, Any]) -> list[str]:
    """Queues that a worker service takes from."""
    return queues_of(command_of(service))


def test_the_file_is_shaped_as_the_specification_says(compose: dict[str, Any]) -> None:
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(COMPOSE).iter_errors(compose)
    ]
    assert errors == []


def test_every_queue_has_one_worker_service(services: dict[str, dict[str, Any]]) -> None:
    # given
    queues = [queue for service in services.values() for queue in consumed(service)]
    # then
    assert sorted(queues) == sorted(known_queues())


def test_every_dependency_exists_and_is_waited_for(services: dict[str, dict[str, Any]]) -> None:
    # given
    waits = [
        (name, other, how["condition"])
        for name, service in services.items()
        for other, how in service.get("depends_on", {}).items()
    ]
    # when
    wrong = [
        (name, other, condition)
        for name, other, condition in waits
        if other not in services
        or condition == "service_started"
        or (condition == "service_healthy" and "healthcheck" not in services[other])
        or (condition == "service_completed_successfully" and services[other]["restart"] != "no")
    ]
    # then
    assert waits
    assert wrong == []


def test_no_dependency_goes_in_a_circle(services: dict[str, dict[str, Any]]) -> None:
    # given
    left = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    # when
    while free := {name for name, needs in left.items() if not needs}:
        left = {name: needs - free for name, needs in left.items() if name not in free}
    # then
    assert left == {}


def test_everything_of_ours_waits_for_the_migration(services: dict[str, dict[str, Any]]) -> None:
    # given
    ours = {name: service for name, service in services.items() if "build" in service}
    # then
    assert set(ours) > {"migrate"}
    assert [
        name
        for name, service in ours.items()
        if name != "migrate"
        and service["depends_on"].get("migrate", {}).get("condition")
        != "service_completed_successfully"
    ] == []
    assert command_of(ours["migrate"]) == ["rung", "db", "upgrade"]


def test_ports_are_open_on_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert [port for port in ports if not LOOPBACK_PORT.fullmatch(port)] == []


def test_whoever_is_told_what_to_run_is_not_root(services: dict[str, dict[str, Any]]) -> None:
    """The images of servers leave root by themselves where they run their own program alone."""
    told = {
        name: {key: service.get(key) for key in ("user", "read_only", "cap_drop")}
        for name, service in services.items()
        if service.get("command", [])[:1] == ["sh"]
    }
    bound = {"user": "999:1000", "read_only": True, "cap_drop": ["ALL"]}
    assert told == {"redis": bound}


def test_workers_get_the_time_to_finish_what_is_in_flight(
    services: dict[str, dict[str, Any]],
) -> None:
    # given
    timing = Settings().timing
    graces = {
        name: seconds(service.get("stop_grace_period", "10s"))
        for name, service in services.items()
        if consumed(service)
    }
    # then
    assert graces
    short = {
        name: s
        for name, s in graces.items()
        if s <= max(timing.stop_timeout_s, timing.call_deadline_s)
    }
    assert short == {}


def test_servers_have_their_security_fixes(services: dict[str, dict[str, Any]]) -> None:
    assert [has_known_fixes(services[name]["image"]) for name in ("redis", "postgres")] == [
        True, True
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("image", "fixed"),
    [
        ("redis:8.2.8", False),
        ("redis:8.2.9-alpine", True),
        ("redis:8.4.6", True),
        ("redis:8.12.0", True),
        ("redis:7.4.10", False),
        ("redis:7.0.15", False),
        ("redis:8", False),
        ("redis:latest", False),
        ("postgres:18.4", False),
        ("postgres:18.6-alpine", True),
        ("postgres:18", False),
    ],
)
def test_an_old_or_floating_release_is_recognised(image: str, fixed: bool) -> None:
    assert has_known_fixes(image) is fixed


def test_secrets_come_from_the_environment_and_must_be_set(
    services: dict[str, dict[str, Any]],
) -> None:
    # given
    text = FILE.read_text("utf-8")
    secret = re.compile(r"KEY|PASSWORD|TOKEN|SECRET")
    values = [
        (name, key, str(value))
        for name, service in services.items()
        for key, value in service.get("environment", {}).items()
        if secret.search(key)
    ]
    # then
    assert values
    assert [entry for entry in values if not REQUIRED_VARIABLE.fullmatch(entry[2])] == []
    assert set(ANY_VARIABLE.findall(text)) == set(REQUIRED_VARIABLE.findall(text))


def test_the_image_is_that_of_this_version(services: dict[str, dict[str, Any]]) -> None:
    # given
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    # then
    assert version
    assert {s["image"] for s in services.values() if "build" in s} == {f"rung:{version[1]}"}
