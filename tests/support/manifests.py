"""The Kubernetes examples as `kubectl kustomize` renders them, and the parts that tests ask about."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

KUBERNETES = ROOT / "examples" / "kubernetes"
KUBECTL = shutil.which("kubectl")
OVERLAYS = ("base", *sorted(f"overlays/{path.name}" for path in (KUBERNETES / "overlays").iterdir()))
COMPONENTS = tuple(sorted(f"components/{path.name}" for path in (KUBERNETES / "components").iterdir()))
Document = dict[str, Any]
Render = Callable[..., tuple[Document, ...]]
"""Renders one of the kustomizations, with components added."""


def needs_kubectl() -> None:
    """Skip the test where kubectl is missing, or too old to know components."""
    if KUBECTL is None:
        pytest.skip("kubectl is not on the PATH: nothing can be rendered")
    if not _knows_components():
        pytest.skip("kubectl is older than 1.21: it does not know components")


@cache
def _knows_components() -> bool:
    minor = json.loads(_output("version", "--client", "--output=json"))["clientVersion"]["minor"]
    return int(minor.rstrip("+")) > 20  # 1.21 brought kustomize 4


def needed_components(documents: Sequence[Document]) -> list[str]:
    """The components that these documents do not have yet."""
    has_operator = bool(of_kind(documents, "PodMonitor"))
    return [name for name in COMPONENTS if not (has_operator and name == "components/prometheus-operator")]


@cache
def rendered(folder: Path) -> tuple[Document, ...]:
    """Every document that a kustomization renders to."""
    return tuple(yaml.safe_load_all(_output("kustomize", str(folder))))


def combined(folder: Path, overlay: str, *components: str) -> tuple[Document, ...]:
    """What one of the kustomizations renders to with components added, in a new folder."""
    own = {
        "resources": [os.path.relpath(KUBERNETES / overlay, folder)],
        "components": [os.path.relpath(KUBERNETES / component, folder) for component in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    return rendered(folder)


def of_kind(documents: Sequence[Document], kind: str) -> list[Document]:
    """The documents of one kind."""
    return [document for document in documents if document["kind"] == kind]


def pod_of(document: Document) -> Document:
    """The template of the pods that a Deployment or a CronJob starts."""
    spec = document["spec"]
    template: Document = (
        spec["jobTemplate"]["spec"]["template"] if document["kind"] == "CronJob" else spec["template"]
    )
    return template


def workload(documents: Sequence[Document]) -> Document:
    """The one document that starts pods."""
    (found,) = (document for document in documents if document["kind"] in {"CronJob", "Deployment"})
    return found


def environment(documents: Sequence[Document]) -> dict[str, str]:
    """The variables that the container gets, from its ConfigMap and its own list, which wins."""
    (container,) = pod_of(workload(documents))["spec"]["containers"]
    (source,) = container["envFrom"]
    named = {document["metadata"]["name"]: document for document in of_kind(documents, "ConfigMap")}
    settings = named[source["configMapRef"]["name"]]
    given: dict[str, str] = settings["data"] | {item["name"]: item["value"] for item in container["env"]}
    return given


def _output(*arguments: str) -> str:
    assert KUBECTL
    done = subprocess.run([KUBECTL, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
