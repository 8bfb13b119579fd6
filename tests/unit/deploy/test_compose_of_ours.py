"""What docker-compose.yml starts of ours: commands, variables and rights, against the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import complaint, known_queues
from tests.unit.deploy.test_compose import FILE, REQUIRED_VARIABLE, ROOT, command_of, consumed
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_password
from worker.dashboard.access.permissions import check_listening
from worker.errors import ConfigurationError


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_every_command_of_ours_exists(services: dict[str, dict[str, Any]]) -> None:
    # given
    ours = [service for service in services.values() if "build" in service]
    looks = [
        service["healthcheck"]["test"][1].replace("$$HOSTNAME", "host").split()
        for service in ours
        if consumed(service)
    ]
    # then
    assert len(looks) == len(known_queues())
    commands = [*(command_of(service) for service in ours), *looks]
    assert [words for words in map(complaint, commands) if words] == []


def test_every_service_that_stays_says_whether_it_is_well(
    services: dict[str, dict[str, Any]],
) -> None:
    # given beat, which has nothing to ask, and whose absence an alert tells
    silent = {name for name, service in services.items() if "healthcheck" not in service}
    # then
    assert silent == {"migrate", "scheduler"}


def environment_of(service: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
    """Variables of a container, with the required ones filled in."""
    return {
        name: REQUIRED_VARIABLE.sub(lambda match: values[match[1]], str(value))
        for name, value in service["environment"].items()
    }


def test_every_variable_is_a_setting_and_the_dashboard_asks_who_comes(
    services: dict[str, dict[str, Any]],
) -> None:
    # given
    values = dict.fromkeys(REQUIRED_VARIABLE.findall(FILE.read_text("utf-8")), "a-secret")
    values["DASHBOARD_PASSWORD_HASH"] = hash_password("correct horse")
    ours = {name: service for name, service in services.items() if "build" in service}
    # when
    settings = {
        name: load_settings(environment_of(service, values), ROOT / "deploy")
        for name, service in ours.items()
    }
    shown = settings["dashboard"].dashboard
    # then
    assert {one.database_url for one in settings.values()} - {None} == {
        "postgresql://rung:a-secret@postgres:5432/rung"
    }
    assert {one.redis_url for one in settings.values()} - {None} == {
        "redis://:a-secret@redis:6379/0"
    }
    check_listening(shown, shown.host)
    assert shown.metrics_token is not None
    assert f"127.0.0.1:{shown.port}:{shown.port}" in services["dashboard"]["ports"]
    with pytest.raises(ConfigurationError):
        check_listening(settings["scheduler"].dashboard, shown.host)


SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "ANTHROPIC_API_KEY", "DASHBOARD_PASSWORD_HASH")


def test_each_service_gets_the_secrets_that_it_needs_and_no_other(
    services: dict[str, dict[str, Any]],
) -> None:
    # given
    def secrets(service: dict[str, Any]) -> set[str]:
        named = " ".join(map(str, service["environment"].values()))
        return {secret for secret in SECRETS if f"${{{secret}:" in named}

    ours = {name: secrets(s) for name, s in services.items() if "build" in s}
    # then
    assert ours.pop("migrate") == {"POSTGRES_PASSWORD"}
    assert ours.pop("scheduler") == {"REDIS_PASSWORD"}
    assert ours.pop("dashboard") == set(SECRETS) - {"ANTHROPIC_API_KEY"}
    assert set(map(frozenset, ours.values())) == {frozenset(SECRETS[:3])}


def test_redis_wants_a_password_that_no_command_line_shows(
    services: dict[str, dict[str, Any]],
) -> None:
    # given
    redis = services["redis"]
    script = redis["command"][-1]
    # then
    assert redis["environment"] == {"REDISCLI_AUTH": "${REDIS_PASSWORD:?set REDIS_PASSWORD}"}
    assert "requirepass $$REDISCLI_AUTH\n" in script
    assert "REDIS" not in script.splitlines()[0]


def test_what_celery_starts_speaks(services: dict[str, dict[str, Any]]) -> None:
    celery = [command_of(s) for s in services.values() if command_of(s)[0] == "celery"]
    assert len(celery) == len(known_queues()) + 1
    assert [words for words in celery if words[words.index("-l") + 1] != "INFO"] == []


def test_ours_may_do_no_more_than_they_need(services: dict[str, dict[str, Any]]) -> None:
    ours = {name: service for name, service in services.items() if "build" in service}
    kept = ("read_only", "cap_drop", "security_opt")
    wanted = (True, ["ALL"], ["no-new-privileges:true"])
    assert {n for n, s in ours.items() if tuple(s.get(key) for key in kept) != wanted} == set()


def test_an_example_names_every_variable_that_is_needed() -> None:
    # given
    named = re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    needed = REQUIRED_VARIABLE.findall(FILE.read_text("utf-8"))
    # then nothing is filled in
    assert dict(named) == dict.fromkeys(needed, "")


def test_what_is_mounted_is_there(services: dict[str, dict[str, Any]]) -> None:
    # given
    volumes = [v for service in services.values() for v in service.get("volumes", [])]
    sources = [volume.split(":")[0] for volume in volumes if volume.startswith("./")]
    # then
    assert sources
    assert [source for source in sources if not (ROOT / source).is_dir()] == []


def test_what_prometheus_is_started_with_is_mounted(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    # given
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    secret = Path(job["authorization"]["credentials_file"])
    # then
    assert config["rule_files"] == ["/etc/prometheus/rules.yaml"]
    assert services["prometheus"]["secrets"] == [secret.name] == list(compose["secrets"])
    assert secret.parent == Path("/run/secrets")
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert (host in services, int(port)) == (True, Settings().dashboard.port)
