"""The environment that a sandbox gives, for each alert source."""

from reconciler.sandbox.server import environment
from reconciler.sandbox.settings import SandboxSettings


def test_a_sandbox_of_jsm_gives_no_variable_of_opsgenies() -> None:
    jsm = SandboxSettings(jsm_only=True, jsm_key="key")
    env = environment("http://127.0.0.1:1", jsm)
    assert (env["ALERT_SOURCE"], env["JSM_SITE_URL"], env["JSM_API_URL"]) == (
        "jsm", "http://127.0.0.1:1/jsm", "http://127.0.0.1:1/jsm"
    )  # fmt: skip
    assert not {name for name in env if name.startswith("OPSGENIE")}
    assert "JSM_INTEGRATION_KEY" not in env
    assert environment("http://127.0.0.1:1", jsm, is_named=True)["JSM_INTEGRATION_KEY"] == "key"
    assert not {name for name in environment("http://127.0.0.1:1") if "JSM" in name or name == "ALERT_SOURCE"}
