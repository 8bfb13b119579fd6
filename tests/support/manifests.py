"""The Kubernetes manifests, and what stands in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).parents[2] / "deploy/kubernetes"
EXAMPLE = FOLDER / "example/secrets.yaml"
WORKLOADS = ("Deployment", "Job")


class Pod(NamedTuple):
    """What a workload starts."""

    name: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """Ours have one."""
        (only,) = self.spec["containers"]
        found: dict[str, Any] = only
        return found

    @property
    def words(self) -> list[str]:
        """The command line."""
        return [*self.container["command"], *self.container["args"]]


def kustomization() -> dict[str, Any]:
    """What is applied together."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
    return found


def applied() -> list[dict[str, Any]]:
    """Everything that the kustomization lists."""
    return [one for name in kustomization()["resources"] for one in documents(FOLDER / name)]


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a file."""
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def of_kind(kind: str) -> list[dict[str, Any]]:
    """Those of a kind, by name."""
    found = [document for document in applied() if document["kind"] == kind]
    return sorted(found, key=lambda document: str(document["metadata"]["name"]))


def pods() -> Iterator[Pod]:
    """What every workload starts."""
    for kind in WORKLOADS:
        for document in of_kind(kind):
            template = document["spec"]["template"]
            yield Pod(
                document["metadata"]["name"], template["metadata"]["labels"], template["spec"]
            )


def secrets() -> dict[str, dict[str, str]]:
    """The keys of every Secret of the example, with their empty values."""
    return {one["metadata"]["name"]: one["stringData"] for one in documents(EXAMPLE)}
