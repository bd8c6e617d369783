"""What the examples deploy does its job: their command and settings, played as a process over the sandbox."""

from collections.abc import Mapping
from pathlib import Path

import requests

from reconciler.sandbox.server import jsm_environment
from reconciler.sandbox.settings import SandboxSettings
from tests.support import manifests, unit_file
from tests.support.harness import World

SECRETS = {"pagerduty-api-key": "PAGERDUTY_API_KEY", "opsgenie-api-key": "OPSGENIE_API_KEY"}
"""The files that hold a secret, and the sandbox's variable that has its value."""


def move_in(world: World, given: Mapping[str, str], data: str, secrets: str) -> None:
    """Give the world's processes an example's settings, and nothing else but the sandbox's account and addresses.

    Its two folders are where they are here, and its ports are free ones.
    """
    here = world.folder / "secrets"
    here.mkdir()
    for name, variable in SECRETS.items():
        (here / name).write_text(world.environment[variable])
    own = placed(world, given, data, secrets)
    own |= {name: "127.0.0.1:0" for name in given if name.endswith("_LISTEN")}
    kept = {
        name: world.environment[name] for name in world.environment if name in given and name != "DATABASE_URL"
    }
    kept |= {name: world.environment[name] for name in ("PAGERDUTY_API_URL", "OPSGENIE_API_URL", "LOG_FORMAT")}
    world.environment = own | kept
    assert not set(SECRETS.values()) & set(world.environment)


def placed(world: World, given: Mapping[str, str], data: str, secrets: str) -> dict[str, str]:
    """An example's settings with its two folders where they are here."""
    here = str(world.folder / "secrets")
    return {name: value.replace(data, str(world.folder)).replace(secrets, here) for name, value in given.items()}


def container(world: World, overlay: str) -> list[str]:
    """Move in as a kustomization's container; its arguments."""
    manifests.needs_kubectl()
    documents = manifests.rendered(manifests.KUBERNETES / overlay)
    (found,) = manifests.pod_of(manifests.workload(documents))["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in found["volumeMounts"]}
    move_in(world, manifests.environment(documents), mounts["data"], mounts["secrets"])
    arguments: list[str] = found["args"]
    return arguments


def assert_serves(world: World, alert: str) -> None:
    """The daemon pages, is ready and alive, shows its status page on loopback, and stops gently."""
    world.open()
    world.until(lambda: world.is_paged(alert), "the page")
    world.until(lambda: world.get("/readyz").status_code == 200, "it is ready")
    assert world.get("/healthz").status_code == 200
    (page,) = [event for event in world.events() if event["event"] == "the status page is there"]
    address = f"http://127.0.0.1:{page['port']}/"
    world.until(lambda: "In step: 1 open pair" in requests.get(address, timeout=10).text, "the status page")
    assert world.metric("reconciler_lock_held") == 1
    assert world.database.exists()
    assert world.stop() == 0
    world.assert_good()


def test_the_bases_container_pages_and_so_does_the_cronjobs_on_its_volume(world: World) -> None:
    assert container(world, "base") == ["run"]
    assert_serves(world, world.raise_alert())
    later = world.raise_alert("disk 91 % full on web-3")
    documents = manifests.rendered(manifests.KUBERNETES / "overlays/cronjob")
    (found,) = manifests.pod_of(manifests.workload(documents))["spec"]["containers"]
    listens = {name: "" for name in world.environment if name.endswith("_LISTEN")}
    done = world.run(*found["args"], **listens)
    assert done.returncode == 0, done.stderr
    assert world.is_paged(later)
    world.assert_good()


def test_the_services_process_pages(world: World) -> None:
    assert unit_file.command()[1:] == ["run"]
    move_in(world, unit_file.environment(), "/var/lib/reconciler", "%d")
    assert_serves(world, world.raise_alert())


def test_the_job_moves_the_bases_database_to_jsm_and_the_pod_goes_on_without_opsgenies_key(
    world: World, tmp_path: Path
) -> None:
    container(world, "base")
    alert = world.raise_alert()
    assert world.run("once").returncode == 0
    world.control("migrate", jsm_ids="new")
    site = jsm_environment(world.running.url, SandboxSettings())
    (world.folder / "secrets" / "jsm-api-token").write_text(site.pop("JSM_API_TOKEN"))
    site["ALERT_SOURCE"] = "opsgenie"  # until it has been moved
    site["STALENESS_SECONDS"] = "1"  # so long the move waits for what was mirrored a moment ago

    folder = tmp_path / "move"
    folder.mkdir()
    documents = manifests.combined(folder, "base", "components/jsm", "components/migrate")
    (job,) = manifests.of_kind(documents, "Job")
    (found,) = manifests.pod_of(job)["spec"]["containers"]
    (settings,) = manifests.of_kind(documents, "ConfigMap")
    jsm = {name: value for name, value in settings["data"].items() if name.startswith(("ALERT", "JSM"))}
    own = jsm | {item["name"]: item["value"] for item in found["env"]}
    world.environment |= placed(world, own, "/data", "/run/secrets/reconciler") | site
    done = world.run(*found["args"])
    assert done.returncode == 0, done.stdout + done.stderr

    folder = tmp_path / "afterwards"
    folder.mkdir()
    documents = manifests.combined(folder, "base", "components/jsm", "components/without-opsgenie")
    given = manifests.environment(documents)
    (world.folder / "secrets" / "opsgenie-api-key").unlink()
    world.environment = {
        name: value for name, value in world.environment.items() if name in given or name not in own
    } | {"ALERT_SOURCE": given["ALERT_SOURCE"]}
    (there,) = world.state()["jsm"]["alerts"]
    world.control(f"jsm/alerts/{there['id']}/acknowledge", user="Ana Ruiz")
    done = world.run("once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [incident["status"] for incident in world.incidents(alert)] == ["acknowledged"]
