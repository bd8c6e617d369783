"""The components for Jira Service Management: what they set, where they let the pod go, and the move as a Job."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from reconciler.cli.migrate import migrate
from reconciler.settings import Settings, load
from tests.support.manifests import KUBERNETES, Document, Render, environment, of_kind, pod_of, workload

ACCOUNT = {"PAGERDUTY_SERVICE_ID": "PSERV01", "PAGERDUTY_EMAIL": "bot@example.com"}
JSM = "components/jsm"
ALONE = "components/without-opsgenie"


@pytest.fixture(scope="module")
def base(render: Render) -> tuple[Document, ...]:
    return render("base", "components/cilium", JSM)


def loaded(given: Mapping[str, str], folder: Path) -> Settings:
    """The settings, with a value in each file that is named."""
    files = {name: folder / Path(value).name for name, value in given.items() if name.endswith("_FILE")}
    for file in files.values():
        file.write_text("fake-key")
    return load({**given, **{name: str(file) for name, file in files.items()}, **ACCOUNT}, dotenv=None)


def test_alerts_come_from_jsm_with_a_token_that_the_secret_holds(
    base: tuple[Document, ...], tmp_path: Path
) -> None:
    given = environment(base)
    assert given["ALERT_SOURCE"] == "jsm"
    assert given["JSM_API_TOKEN_FILE"] == "/run/secrets/reconciler/jsm-api-token"
    assert loaded(given, tmp_path).warnings() == ()
    example = (KUBERNETES / "secret.example.yaml").read_text(encoding="utf-8")
    shown = set(yaml.safe_load(example.replace("# jsm-", "jsm-"))["stringData"])
    assert {Path(value).name for name, value in given.items() if name.endswith("_FILE")} <= shown
    sample = (KUBERNETES / JSM / "settings.env").read_text(encoding="utf-8")
    assert "#JSM_INTEGRATION_KEY_FILE=/run/secrets/reconciler/jsm-integration-key\n" in sample
    assert "jsm-integration-key" in shown


def test_with_cilium_the_pod_reaches_atlassians_api_and_the_site_as_well(base: tuple[Document, ...]) -> None:
    (policy,) = of_kind(base, "CiliumNetworkPolicy")
    hosts = [name["matchName"] for rule in policy["spec"]["egress"] for name in rule.get("toFQDNs", [])]
    assert hosts[:1] == ["api.pagerduty.com"]
    assert hosts[-2:] == ["api.atlassian.com", "example.atlassian.net"]
    assert f"https://{hosts[-1]}" == environment(base)["JSM_SITE_URL"]


@pytest.mark.parametrize("overlay", ["base", "overlays/cronjob"])
def test_opsgenies_key_may_leave_the_secret(render: Render, overlay: str, tmp_path: Path) -> None:
    given = environment(render(overlay, JSM, ALONE))
    assert not [name for name in given if name.startswith("OPSGENIE")]
    assert loaded(given, tmp_path).alert_source == "jsm"


def test_the_move_is_a_job_like_the_cronjobs_and_nothing_else_runs_meanwhile(render: Render) -> None:
    documents = render("base", JSM, "components/migrate")
    (job,) = of_kind(documents, "Job")
    assert workload(documents)["spec"]["replicas"] == 0
    by_cron = workload(render("overlays/cronjob", JSM, "components/migrate"))
    assert by_cron["spec"]["suspend"] is True
    pod, other = job["spec"]["template"], pod_of(by_cron)
    (container,), (its,) = pod["spec"]["containers"], other["spec"]["containers"]
    assert pod["metadata"]["labels"] == other["metadata"]["labels"]
    (settings,) = of_kind(documents, "ConfigMap")
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    command, *arguments = container["args"]
    assert command == migrate.name
    assert migrate.make_context(command, arguments).params["to"] == "jsm"
    differs = {"args", "envFrom"}
    assert {name: container[name] for name in container if name not in differs} == {
        name: its[name] for name in its if name not in differs
    }
    spared = {"containers", "priorityClassName"}
    assert {name: value for name, value in pod["spec"].items() if name not in spared} == {
        name: value for name, value in other["spec"].items() if name not in spared
    }
    assert job["spec"]["backoffLimit"] == 0
