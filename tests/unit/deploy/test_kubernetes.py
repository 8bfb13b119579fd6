"""deploy/kubernetes: shaped alike, safe as it stands, and naming only what exists."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import manifests
from tests.support.commands import complaint, known_queues, queues_of
from tests.support.manifests import FOLDER, Pod
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_password
from worker.dashboard.access.permissions import check_listening

ROOT = Path(__file__).parents[3]
PODS = {pod.name: pod for pod in manifests.pods()}
WORKERS = {name: pod for name, pod in PODS.items() if queues_of(pod.words)}
RESTRICTED = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001}
NO_MORE_RIGHTS = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
ADDRESSES = {
    "DATABASE_URL": "postgresql://rung:a-secret@db:5432/rung",
    "REDIS_URL": "redis://:a-secret@queues:6379/0",
}
pods = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def version() -> str:
    match = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert match
    return match[1]


def test_everything_but_the_example_is_applied_and_named_once() -> None:
    # given
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests.applied()]
    # then
    assert set(manifests.kustomization()["resources"]) == files
    assert sorted(names) == sorted(set(names))
    assert {kind for kind, _ in names if kind == "Secret"} == set()
    namespace = manifests.kustomization()["namespace"]
    assert ("Namespace", namespace) in names
    assert {one["metadata"]["namespace"] for one in manifests.documents(manifests.EXAMPLE)} == {
        namespace
    }


@pods
def test_every_command_exists(pod: Pod) -> None:
    assert complaint(pod.words) is None


@pods
def test_no_pod_may_do_more_than_it_needs(pod: Pod) -> None:
    # given
    around, inside = pod.spec["securityContext"], pod.container["securityContext"]
    # then
    assert {key: around.get(key) for key in RESTRICTED} == RESTRICTED
    assert around["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside == NO_MORE_RIGHTS
    assert pod.spec["automountServiceAccountToken"] is False
    assert "memory" in pod.container["resources"]["limits"]
    assert set(pod.container["resources"]["requests"]) == {"cpu", "memory"}
    uid = re.search(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert uid
    assert int(uid[1]) == around["runAsUser"]


@pods
def test_what_a_pod_mounts_and_reads_is_there(pod: Pod) -> None:
    # given
    volumes = {one["name"]: one for one in pod.spec["volumes"]}
    maps = {one["metadata"]["name"] for one in manifests.of_kind("ConfigMap")}
    read = [one["secretRef"]["name"] for one in pod.container["envFrom"]]
    # then
    assert {mount["name"] for mount in pod.container["volumeMounts"]} == set(volumes)
    assert {v["configMap"]["name"] for v in volumes.values() if "configMap" in v} <= maps
    assert set(read) <= set(manifests.secrets())


@pytest.mark.parametrize("pod", [PODS["rung-dashboard"], PODS["rung-worker-routing"]])
def test_a_pod_that_takes_files_is_not_evicted_for_some_at_a_time(pod: Pod) -> None:
    # given where files above 1 MB lie while they are submitted
    (limit,) = (one["emptyDir"]["sizeLimit"] for one in pod.spec["volumes"] if one["name"] == "tmp")
    megabytes = int(limit.removesuffix("Gi")) * 1024**3 / 1_000_000
    # then
    assert megabytes >= 10 * Settings().dashboard.upload_mb


def test_every_secret_is_empty_in_the_example_and_used_by_somebody() -> None:
    # given
    used = {one["secretRef"]["name"] for pod in PODS.values() for one in pod.container["envFrom"]}
    (authentication,) = manifests.of_kind("TriggerAuthentication")
    asked = authentication["spec"]["secretTargetRef"]
    secrets = manifests.secrets()
    # then
    assert {(name, key) for name, keys in secrets.items() for key, v in keys.items() if v} == set()
    assert used | {one["name"] for one in asked} == set(secrets)
    assert [one for one in asked if one["key"] not in secrets[one["name"]]] == []


def settings_of(pod: Pod, folder: Path) -> Settings:
    """What the process in a pod would read, every secret filled in."""
    (config,) = manifests.of_kind("ConfigMap")
    (folder / "rung.toml").write_text(config["data"]["rung.toml"], "utf-8")
    environ = {one["name"]: one["value"] for one in pod.container["env"]}
    assert environ["RUNG_CONFIG"] == "/etc/rung/rung.toml"
    environ["RUNG_CONFIG"] = str(folder / "rung.toml")
    for secret in pod.container["envFrom"]:
        for key in manifests.secrets()[secret["secretRef"]["name"]]:
            value = hash_password("correct horse") if "PASSWORD" in key else "x" * 40
            environ[key] = ADDRESSES.get(key, value)
    return load_settings(environ, folder)


@pods
def test_every_variable_is_a_setting(pod: Pod, tmp_path: Path) -> None:
    # when
    settings = settings_of(pod, tmp_path)
    # then each has the secrets that it needs, and no other
    assert (settings.database_url is not None) is (pod.name != "rung-scheduler")
    assert (settings.redis_url is not None) is not pod.name.startswith("rung-migrate")
    assert (settings.anthropic_api_key is not None) is (pod.name in WORKERS)
    assert settings.budget.per_day_usd


def test_the_dashboard_asks_who_comes_and_is_probed_where_it_answers(tmp_path: Path) -> None:
    # given
    pod = PODS["rung-dashboard"]
    settings = settings_of(pod, tmp_path).dashboard
    (service,) = manifests.of_kind("Service")
    (port,) = pod.container["ports"]
    # then
    check_listening(settings, pod.words[pod.words.index("--host") + 1])
    assert settings.users["ops"].role == "operator"
    assert settings.metrics_token is not None
    assert settings.secret is not None
    assert port["containerPort"] == service["spec"]["ports"][0]["port"] == settings.port
    assert pod.container["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    # Each copy exports the same series: two would be counted twice.
    (deployment,) = (
        d for d in manifests.of_kind("Deployment") if d["metadata"]["name"] == pod.name
    )
    assert deployment["spec"]["replicas"] == 1


def test_what_celery_starts_speaks() -> None:
    celery = [pod.words for pod in PODS.values() if pod.words[0] == "celery"]
    assert len(celery) == len(WORKERS) + 1
    assert [words for words in celery if words[words.index("-l") + 1] != "INFO"] == []


def test_every_queue_has_workers_that_may_finish_what_is_in_flight() -> None:
    # given
    timing = Settings().timing
    queues = [queue for pod in WORKERS.values() for queue in queues_of(pod.words)]
    # then
    assert sorted(queues) == sorted(known_queues())
    graces = {n: pod.spec["terminationGracePeriodSeconds"] for n, pod in WORKERS.items()}
    longest = max(timing.stop_timeout_s, timing.call_deadline_s)
    assert {name for name, seconds in graces.items() if seconds <= longest} == set()


def test_selectors_find_the_pods_that_they_are_for() -> None:
    # given
    def chosen(labels: dict[str, str]) -> set[str]:
        return {name for name, pod in PODS.items() if labels.items() <= pod.labels.items()}

    # then
    for deployment in manifests.of_kind("Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert chosen(selector) == {deployment["metadata"]["name"]}
    (service,), (budget,) = manifests.of_kind("Service"), manifests.of_kind("PodDisruptionBudget")
    assert chosen(service["spec"]["selector"]) == {"rung-dashboard"}
    assert chosen(budget["spec"]["selector"]["matchLabels"]) == set(WORKERS)
    closed, opened = manifests.of_kind("NetworkPolicy")
    assert chosen(closed["spec"]["podSelector"]["matchLabels"]) == set(PODS)
    assert chosen(opened["spec"]["podSelector"]["matchLabels"]) == {"rung-dashboard"}


def test_every_image_is_that_of_this_version() -> None:
    # given
    ((image,), release) = manifests.kustomization()["images"], version()
    # then
    assert {pod.container["image"] for pod in PODS.values()} == {f"rung:{release}"}
    assert (image["name"], str(image["newTag"])) == ("rung", release)
    assert f"rung-migrate-{release.replace('.', '-')}" in PODS


def scaled() -> dict[str, dict[str, Any]]:
    """The ScaledObject of each Deployment."""
    found = manifests.of_kind("ScaledObject")
    return {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in found}


def test_every_worker_is_scaled_by_what_one_holds_in_flight_and_never_to_none() -> None:
    # given
    settings = Settings()
    tiers = {"routing": settings.tiers[settings.routing_tier], **settings.tiers}
    targets = {
        queue: scaled()[name]["triggers"][0]["metadata"]["targetQueryValue"]
        for name, pod in WORKERS.items()
        for queue in queues_of(pod.words)
    }
    # then
    assert set(scaled()) == set(WORKERS)
    assert targets == {queue: str(10 * tier.max_in_flight) for queue, tier in tiers.items()}
    assert {spec["minReplicaCount"] for spec in scaled().values()} == {1}
    names = {spec["triggers"][0]["authenticationRef"]["name"] for spec in scaled().values()}
    assert names == {one["metadata"]["name"] for one in manifests.of_kind("TriggerAuthentication")}
    deployments = {one["metadata"]["name"]: one["spec"] for one in manifests.of_kind("Deployment")}
    assert [name for name in WORKERS if "replicas" in deployments[name]] == []
