"""What `reconciler sandbox` prints: an environment that can be copied, and acts to try."""

from reconciler.sandbox.command import introduction
from reconciler.sandbox.settings import SandboxSettings

URL = "http://127.0.0.1:8900"


def exported(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if line.startswith("export "))
    return [pair.partition("=")[0] for line in lines for pair in line.split()[1:]]


def test_opsgenie_is_the_alerts_side_unless_jsm_is_asked_for() -> None:
    text = introduction(URL, SandboxSettings())
    assert exported(text)[:2] == ["OPSGENIE_API_URL", "OPSGENIE_API_KEY"]
    assert f"{URL}/control/opsgenie/alerts" in text
    assert "JSM" not in text


def test_jsm_is_introduced_with_its_own_variables() -> None:
    text = introduction(URL, SandboxSettings(jsm_only=True))
    names = ["ALERT_SOURCE", "JSM_SITE_URL", "JSM_API_URL", "JSM_EMAIL", "JSM_API_TOKEN"]
    assert exported(text)[:5] == names
    assert (
        "# acknowledgements and notes in the engineer's name: export JSM_INTEGRATION_KEY=sandbox-jsm-key" in text
    )
    assert f"{URL}/control/jsm/alerts" in text
    assert "psgenie" not in text
