"""The Kubernetes examples render to what a cluster accepts, confined, with settings and paths that exist."""

from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from reconciler import __version__
from reconciler.settings import load, variables
from tests.support.image_tags import FILES, TAG
from tests.support.manifests import (
    COMPONENTS,
    KUBERNETES,
    OVERLAYS,
    Document,
    Render,
    environment,
    needed_components,
    of_kind,
    pod_of,
    workload,
)
from tests.support.paths import ROOT

VERSIONS = ("1.27", "1.32", "1.37")
"""The Kubernetes whose schemas are used: from the oldest that the docs promise to the newest one."""
OWN: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "support" / "crds.yaml").read_text(encoding="utf-8"))
NAME = {"app.kubernetes.io/name": "reconciler"}
ACCOUNT = {
    "PAGERDUTY_SERVICE_ID": "PSERV01",
    "PAGERDUTY_EMAIL": "bot@example.com",
    "PAGERDUTY_USER": "Bot",
}
"""What an operator writes in place of the placeholders."""


def assert_valid(document: Document) -> None:
    """Against Kubernetes' schema, or ours of a custom resource."""
    if document["kind"] in OWN:
        jsonschema.validate(document, OWN[document["kind"]])
    else:
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)


# -- what a cluster accepts --


def test_every_document_is_valid_named_and_in_the_namespace(documents: tuple[Document, ...]) -> None:
    for document in documents:
        assert_valid(document)
        metadata = document["metadata"]
        assert metadata["labels"].items() >= NAME.items()
        in_cluster = document["kind"] in {"Namespace", "PriorityClass"}
        assert metadata.get("namespace") == (None if in_cluster else "reconciler")
    assert not of_kind(documents, "Secret"), "a Secret has no place in a repository"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_component_fits_every_kustomization(render: Render, overlay: str) -> None:
    documents = render(overlay, *needed_components(render(overlay)))
    for document in documents:
        assert_valid(document)
    assert {"PodMonitor", "PrometheusRule", "CiliumNetworkPolicy"} <= {document["kind"] for document in documents}


def test_the_base_has_no_kind_that_only_an_operator_brings(render: Render) -> None:
    assert not OWN.keys() & {document["kind"] for document in render("base")}


def test_an_invalid_document_is_found() -> None:
    monitor = yaml.safe_load((KUBERNETES / "components/prometheus-operator/podmonitor.yaml").read_text())
    assert_valid(monitor)
    monitor["spec"]["podMetricsEndpoints"][0]["pth"] = "/metrics"
    with pytest.raises(jsonschema.ValidationError):
        assert_valid(monitor)
    claim = yaml.safe_load((KUBERNETES / "base/persistentvolumeclaim.yaml").read_text())
    claim["spec"]["accessMode"] = ["ReadWriteOnce"]
    with pytest.raises(kubernetes_validate.ValidationError):
        assert_valid(claim)


def test_every_selector_selects_the_pods(render: Render) -> None:
    for overlay in OVERLAYS:
        documents = render(overlay, *needed_components(render(overlay)))
        labels = pod_of(workload(documents))["metadata"]["labels"]
        selectors = [
            document["spec"].get(name)
            for document in documents
            for name in ("selector", "podSelector", "endpointSelector")
            if document["kind"] not in {"ConfigMap", "Namespace", "PriorityClass", "PersistentVolumeClaim"}
        ]
        found = [selector["matchLabels"] for selector in selectors if selector]
        assert len(found) >= 4
        assert all(selector == labels == NAME for selector in found)


# -- Pod Security "restricted", https://kubernetes.io/docs/concepts/security/pod-security-standards/ --

VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
"""Of the kinds of volumes that it allows, those that are needed here."""


def test_the_pod_is_restricted_field_by_field(documents: tuple[Document, ...]) -> None:
    pod = pod_of(workload(documents))["spec"]
    (container,) = pod["containers"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"} & set(pod)
    assert all(set(volume) - {"name"} <= VOLUMES for volume in pod["volumes"])
    assert not [port for port in container.get("ports", []) if "hostPort" in port]
    assert set(pod["securityContext"]) == {
        "runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile",
    }  # fmt: skip
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    (namespace,) = of_kind(documents, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_pod_is_important_has_room_and_is_stopped_gently(documents: tuple[Document, ...]) -> None:
    pod = pod_of(workload(documents))["spec"]
    (container,) = pod["containers"]
    (priority,) = of_kind(documents, "PriorityClass")
    assert pod["priorityClassName"] == priority["metadata"]["name"]
    assert pod["terminationGracePeriodSeconds"] == 60
    assert container["resources"] == {
        "requests": {"cpu": "50m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
        "limits": {"memory": "384Mi", "ephemeral-storage": "1Gi"},
    }
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    assert volumes["secrets"]["secret"] == {"secretName": "reconciler", "defaultMode": 0o440}
    claims = [{"claimName": claim["metadata"]["name"]} for claim in of_kind(documents, "PersistentVolumeClaim")]
    assert claims == ([volumes["data"]["persistentVolumeClaim"]] if "data" in volumes else [])


# -- what the product knows --


def test_the_settings_exist_load_and_hold_no_secret(documents: tuple[Document, ...], tmp_path: Path) -> None:
    given = environment(documents)
    (container,) = pod_of(workload(documents))["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    secret = {name for name, read in variables().items() if read.secret}
    from_secret = [name for name in given if name.endswith("_FILE") and name not in variables()]
    assert {name.removesuffix("_FILE") if name in from_secret else name for name in given} <= set(variables())
    assert given.keys() & secret <= {"DATABASE_URL"}
    assert given.get("DATABASE_URL", "sqlite:////data/").startswith("sqlite:////data/")
    example = yaml.safe_load((KUBERNETES / "secret.example.yaml").read_text(encoding="utf-8"))
    assert_valid(example)
    assert not any(example["stringData"].values())
    for name in from_secret:
        path = Path(given[name])
        assert str(path.parent) == mounts["secrets"]
        assert path.name in {*example["stringData"], "database-url"}
        given[name] = str(tmp_path / path.name)
        text = "postgresql://bot:secret@db/bot" if path.name == "database-url" else "fake-key"
        (tmp_path / path.name).write_text(text)
    settings = load(given | ACCOUNT, dotenv=None)
    assert settings.warnings() == ()


def test_the_probes_and_the_scraper_ask_for_paths_that_exist(render: Render) -> None:
    (container,) = pod_of(workload(render("base")))["spec"]["containers"]
    served = set(yaml.safe_load((ROOT / "reconciler/web/openapi.yaml").read_text(encoding="utf-8"))["paths"])
    probes = {name: container[name]["httpGet"] for name in container if name.endswith("Probe")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    (monitor,) = of_kind(render("base", *COMPONENTS), "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert {endpoint["path"], *(probe["path"] for probe in probes.values())} <= served
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {endpoint["port"], *(probe["port"] for probe in probes.values())} == set(ports) == {"http"}
    given = environment(render("base"))
    assert given["HTTP_LISTEN"] == f"0.0.0.0:{ports['http']}"
    assert given["STATUS_LISTEN"] == "127.0.0.1:8081"


def test_every_image_named_is_of_this_version() -> None:
    files = [path for folder in ("examples", "docs/deploy") for path in (ROOT / folder).rglob("*.[my]*")]
    tags = {path.relative_to(ROOT).as_posix(): TAG.findall(path.read_text(encoding="utf-8")) for path in files}
    assert sorted(name for name, found in tags.items() if found) == list(FILES)
    assert {tag for found in tags.values() for tag in found} == {__version__}, "run `make examples`"
