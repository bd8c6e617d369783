"""The settings, and the messages to the operator about wrong values."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from reconciler.errors import Misconfigured
from reconciler.settings import SettingsError, load, load_database, load_lookup, variables
from reconciler.settings_names import PLACEHOLDERS
from tests.support.configured import REQUIRED, loaded, problem, problems, value

DEFAULTS = {
    "ALERT_SOURCE": "opsgenie",
    "ALERT_SHADOW": None,
    "JSM_SITE_URL": "",
    "JSM_CLOUD_ID": "",
    "JSM_EMAIL": "",
    "JSM_API_TOKEN": "",
    "JSM_INTEGRATION_KEY": None,
    "JSM_QUERY": "",
    "JSM_WEBHOOK_INTEGRATION_ID": None,
    "JSM_WEBHOOK_SECRET": None,
    "JSM_API_URL": "https://api.atlassian.com",
    "ALLOW_PLAIN_HTTP": "no",
    "ON_LATE_ALERT": "page",
    "LATE_SECONDS": 3600,
    "HEARTBEAT_URL": None,
    "OPSGENIE_HEARTBEAT": None,
    "HEARTBEAT_INTERVAL_SECONDS": 60,
    "OUTAGE_PAGE_SECONDS": 900,
    "PAGERDUTY_WEBHOOK_SECRET": (),
    "OPSGENIE_INTEGRATION_ID": None,
    "OPSGENIE_WEBHOOK_SECRET": None,
    "PAGERDUTY_API_URL": "https://api.pagerduty.com",
    "OPSGENIE_API_URL": "https://api.opsgenie.com",
    "OPSGENIE_QUERY": "",
    "ROUTES_FILE": None,
    "DATABASE_URL": "sqlite:///reconciler.db",
    "POLL_INTERVAL_SECONDS": 10,
    "SWEEP_INTERVAL_SECONDS": 300,
    "INITIAL_LOOKBACK_SECONDS": 3600,
    "STALENESS_SECONDS": 120,
    "RETENTION_SECONDS": 2592000,
    "ON_OPSGENIE_UNACKNOWLEDGE": "retrigger",
    "ON_OPSGENIE_CLOSE": "note",
    "ON_OPSGENIE_PRIORITY": "urgency",
    "HIGH_URGENCY_PRIORITIES": ("P1", "P2"),
    "PAGERDUTY_PRIORITIES": (),
    "INCIDENT_TITLE": "{message}",
    "INCIDENT_DETAILS": ("all",),
    "ON_PAGERDUTY_ACK_TIMEOUT": "mirror",
    "REMIND_SECONDS": 600,
    "HTTP_LISTEN": None,
    "STATUS_LISTEN": None,
    "STATUS_PASSWORD": None,
    "LOG_FORMAT": None,
    "LOG_LEVEL": "INFO",
}
SECRETS = {
    "JSM_API_TOKEN",
    "JSM_INTEGRATION_KEY",
    "JSM_WEBHOOK_SECRET",
    "HEARTBEAT_URL",
    "PAGERDUTY_API_KEY",
    "PAGERDUTY_WEBHOOK_SECRET",
    "OPSGENIE_API_KEY",
    "OPSGENIE_WEBHOOK_SECRET",
    "DATABASE_URL",
    "STATUS_PASSWORD",
}


def test_the_variables_are_those_of_the_contract() -> None:
    assert set(variables()) == set(REQUIRED) | set(DEFAULTS)
    assert {name for name, read in variables().items() if read.secret} == SECRETS
    assert {name for name, read in variables().items() if read.needs and read.source != "jsm"} == set(REQUIRED)


JSM = {
    "JSM_SITE_URL": "https://acme.atlassian.net",
    "JSM_EMAIL": "bot@example.com",
    "JSM_API_TOKEN": "t0ken-jsm",
}
WITHOUT_OPSGENIE = {name: text for name, text in REQUIRED.items() if name != "OPSGENIE_API_KEY"}


def test_with_jsm_its_variables_are_required_and_opsgenies_are_not() -> None:
    told = problems(WITHOUT_OPSGENIE | {"ALERT_SOURCE": "jsm"})
    assert [line.partition(":")[0] for line in told] == list(JSM)
    settings = load(WITHOUT_OPSGENIE | JSM | {"ALERT_SOURCE": "jsm"}, None)
    assert (settings.jsm_email, settings.alert_source) == ("bot@example.com", "jsm")
    assert "t0ken-jsm" in settings.secret_values()
    assert "" not in settings.secret_values()
    assert "Ym90QGV4YW1wbGUuY29tOnQwa2VuLWpzbQ==" in settings.secret_values(), "as it is sent"


def test_the_shadow_needs_both() -> None:
    assert [line.partition(":")[0] for line in problems(REQUIRED | {"ALERT_SHADOW": "jsm"})] == list(JSM)


@pytest.mark.parametrize("name", ["UNACKNOWLEDGE", "CLOSE", "PRIORITY"])
def test_a_policy_of_alerts_has_two_names_and_one_value(name: str) -> None:
    new, old = f"ON_ALERT_{name}", f"ON_OPSGENIE_{name}"
    assert getattr(loaded(**{new: "note"}), old.lower()) == "note"
    assert getattr(loaded(**{new: "note", old: "note"}), old.lower()) == "note"
    wrong = problem(**{new: "note", old: "ignore"})
    assert wrong == f"{old}: and {new} are names of one setting, and have different values; remove one of them"


@pytest.mark.parametrize(
    "given", ["https://api.atlassian.com", "https://app.opsgenie.com", "https://acme.atlassian.net/jira", "acme"]
)
def test_an_address_that_is_no_site_is_refused(given: str) -> None:
    assert problem(JSM_SITE_URL=given).startswith("JSM_SITE_URL: ")


def test_a_site_may_be_given_with_a_slash() -> None:
    assert loaded(JSM_SITE_URL="https://acme.atlassian.net/").jsm_site_url == "https://acme.atlassian.net"


def test_the_required_variables_suffice() -> None:
    settings = loaded()
    assert {name: value(settings, name) for name in REQUIRED | DEFAULTS} == REQUIRED | DEFAULTS


@pytest.mark.parametrize("name", sorted(REQUIRED | DEFAULTS))
def test_an_empty_value_counts_as_not_set(name: str) -> None:
    if name in REQUIRED:
        assert problem(**{name: ""}).startswith(f"{name}: is missing; give ")
    else:
        assert value(loaded(**{name: ""}), name) == DEFAULTS[name]


def test_all_problems_are_reported_together_in_the_contracts_order() -> None:
    told = problems({"POLL_INTERVAL_SECONDS": "fast", "LOG_LEVEL": "loud", "OPSGENIE_API_KEY": "a b"})
    assert [line.partition(":")[0] for line in told] == [
        "PAGERDUTY_API_KEY",
        "PAGERDUTY_SERVICE_ID",
        "PAGERDUTY_EMAIL",
        "PAGERDUTY_USER",
        "OPSGENIE_API_KEY",
        "POLL_INTERVAL_SECONDS",
        "LOG_LEVEL",
    ]


def test_the_error_is_a_misconfiguration_with_one_line_per_problem() -> None:
    with pytest.raises(Misconfigured) as caught:
        load({}, dotenv=None)
    assert len(str(caught.value).splitlines()) == len(REQUIRED)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"OPSGENIE_WEBHOOK_SECRET": "header"}, ("OPSGENIE_WEBHOOK_SECRET", "OPSGENIE_INTEGRATION_ID")),
        ({"JSM_WEBHOOK_SECRET": "header"}, ("JSM_WEBHOOK_SECRET", "JSM_WEBHOOK_INTEGRATION_ID")),
        (
            {"OPSGENIE_WEBHOOK_SECRET": "header", "HTTP_LISTEN": "127.0.0.1:1"},
            ("OPSGENIE_WEBHOOK_SECRET", "OPSGENIE_INTEGRATION_ID"),
        ),
    ],
)
def test_a_contradiction_is_a_problem_that_names_both_variables(
    given: dict[str, str], names: tuple[str, ...]
) -> None:
    told = problem(**given)
    assert all(name in told for name in names)
    assert not any(text in told for text in ("signing", "header"))


def test_webhook_settings_without_a_listener_are_no_problem_and_are_listed_by_name() -> None:
    given = {"PAGERDUTY_WEBHOOK_SECRET": "signing", "OPSGENIE_INTEGRATION_ID": "1-2"}
    assert loaded(**given).unused() == tuple(given)
    assert loaded(OPSGENIE_INTEGRATION_ID="1-2").unused() == ("OPSGENIE_INTEGRATION_ID",)
    assert loaded(**given, HTTP_LISTEN="127.0.0.1:1").unused() == loaded().unused() == ()


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8081", "[::]:8081", "10.1.2.3:80", "status.example.com:80", "127.1:80"]
)
def test_a_status_page_that_others_can_reach_needs_a_password(listen: str) -> None:
    told = problem(STATUS_LISTEN=listen)
    assert told.startswith(f'STATUS_LISTEN: "{listen}" can be reached from other machines, which needs a ')
    assert "STATUS_PASSWORD (or STATUS_PASSWORD_FILE); set that, or listen on 127.0.0.1" in told
    assert str(loaded(STATUS_LISTEN=listen, STATUS_PASSWORD="open-sesame").status_listen) == listen


@pytest.mark.parametrize("listen", ["127.0.0.1:8081", "[::1]:8081", "localhost:0", "127.8.8.8:1"])
def test_a_status_page_on_loopback_needs_none(listen: str) -> None:
    assert loaded(STATUS_LISTEN=listen).status_password is None


def test_a_malformed_address_of_the_status_page_is_one_problem() -> None:
    assert problem(STATUS_LISTEN="8081").startswith('STATUS_LISTEN: "8081" is not host:port')


def test_a_password_without_a_status_page_is_warned_about() -> None:
    (told,) = loaded(STATUS_PASSWORD="open-sesame").warnings()
    assert told.startswith("STATUS_PASSWORD: is of no use without STATUS_LISTEN")
    assert loaded(STATUS_PASSWORD="open-sesame", STATUS_LISTEN="127.0.0.1:1").warnings() == ()


def test_a_malformed_value_is_not_reported_as_a_contradiction() -> None:
    told = problem(OPSGENIE_INTEGRATION_ID="no id", OPSGENIE_WEBHOOK_SECRET="header")
    assert told.startswith("OPSGENIE_INTEGRATION_ID: ")


def test_the_poll_interval_may_exceed_the_sweep_interval() -> None:
    assert loaded(POLL_INTERVAL_SECONDS="600").sweep_interval_seconds == 300


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    urls = {"DATABASE_URL": "sqlite:///from-file.db", "HEARTBEAT_URL": "https://example.com/from-file"}
    text = urls.get(name, "from-file")
    file = tmp_path / "secret"
    file.write_text(f"{text}\n")
    webhooks = {"OPSGENIE_INTEGRATION_ID": "1-2", "JSM_WEBHOOK_INTEGRATION_ID": "1-2"}
    given = REQUIRED | {"HTTP_LISTEN": "127.0.0.1:1", f"{name}_FILE": str(file)} | webhooks
    given.pop(name, None)
    assert value(load(given, dotenv=None), name) in (text, (text,))


def test_a_secret_given_twice_is_a_problem(tmp_path: Path) -> None:
    told = problem(PAGERDUTY_API_KEY_FILE=str(tmp_path / "key"))
    assert "PAGERDUTY_API_KEY" in told
    assert "PAGERDUTY_API_KEY_FILE" in told
    assert REQUIRED["PAGERDUTY_API_KEY"] not in told


def test_a_secrets_file_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    empty, binary, large = tmp_path / "empty", tmp_path / "binary", tmp_path / "large"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    large.write_text("x" * 100_000)
    for path, says in (
        (tmp_path / "missing", "No such file"),
        (tmp_path, "no regular file"),
        (empty, "empty"),
        (binary, "not text"),
        (large, "too large"),
        ("a-key-instead-of-a-path", "No such file"),
        ("nul\0byte", "not text"),
    ):
        (told,) = problems(
            {k: v for k, v in REQUIRED.items() if k != "OPSGENIE_API_KEY"} | {"OPSGENIE_API_KEY_FILE": str(path)}
        )
        assert told.startswith("OPSGENIE_API_KEY: cannot be read from OPSGENIE_API_KEY_FILE: ")
        assert says in told
        assert str(path) not in told


def test_only_secrets_may_be_given_by_a_file(tmp_path: Path) -> None:
    assert loaded(LOG_LEVEL_FILE=str(tmp_path / "missing")).log_level == "INFO"


def test_no_problem_shows_a_secret_given_in_the_wrong_variable() -> None:
    key = REQUIRED["PAGERDUTY_API_KEY"]
    assert key not in problem(OPSGENIE_API_URL=key)
    assert key not in problem(LOG_LEVEL=key, PAGERDUTY_API_KEY=key)
    assert "hunter2" not in problem(OPSGENIE_API_URL="ftp://u:hunter2@host")


def test_printed_settings_show_no_secret() -> None:
    settings = loaded(
        PAGERDUTY_WEBHOOK_SECRET="sign-1,sign-2",
        OPSGENIE_WEBHOOK_SECRET="header-value",
        OPSGENIE_INTEGRATION_ID="1-2",
        HTTP_LISTEN="127.0.0.1:1",
        DATABASE_URL="postgres://u:hunter%402@db/name?password=other",
        STATUS_LISTEN="0.0.0.0:8081",
        STATUS_PASSWORD="open-sesame",
    )
    hidden = settings.secret_values()
    assert set(hidden) == {
        REQUIRED["PAGERDUTY_API_KEY"],
        REQUIRED["OPSGENIE_API_KEY"],
        "sign-1",
        "sign-2",
        "header-value",
        "open-sesame",
        "hunter%402",
        "hunter@2",
        "other",
    }
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert not any(secret in shown for secret in hidden)


def test_settings_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded().log_level = "DEBUG"


def test_the_environment_wins_over_the_dotenv_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "\ufeff# a comment\nexport LOG_LEVEL=ERROR\nPAGERDUTY_USER='$HOME ${HOME}' # as it stands\n"
        "OPSGENIE_API_KEY=from-dotenv\nPOLL_INTERVAL_SECONDS=5\nHOME_GROWN=1\n",
        encoding="utf-8",
    )
    key = tmp_path / "key"
    key.write_text("from-file")
    given = {k: v for k, v in REQUIRED.items() if k not in ("PAGERDUTY_USER", "OPSGENIE_API_KEY")}
    settings = load(given | {"LOG_LEVEL": "DEBUG", "OPSGENIE_API_KEY_FILE": str(key)}, file)
    assert settings.log_level == "DEBUG"
    assert settings.pagerduty_user == "$HOME ${HOME}"
    assert settings.poll_interval_seconds == 5
    assert settings.opsgenie_api_key.get_secret_value() == "from-file"


def test_a_missing_dotenv_file_is_no_problem(tmp_path: Path) -> None:
    assert load(REQUIRED, tmp_path / ".env").log_level == "INFO"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("HOME_GROWN=1", None),
        ("OPSGENE_API_KEY=1", "OPSGENE_API_KEY: there is no such variable; .env perhaps means OPSGENIE_API_KEY"),
        ("POLL_INTERVALL_SECONDS=1", ".env perhaps means POLL_INTERVAL_SECONDS"),
        ("HTTP_LISTN=1", ".env perhaps means HTTP_LISTEN"),
        ("LOGLEVEL=DEBUG", ".env perhaps means LOG_LEVEL"),
        ("DATABSE_URL=1", ".env perhaps means DATABASE_URL"),
        ("DATABASE_URI=1", ".env perhaps means DATABASE_URL"),
        ("OPSGENIE_QUERRY=1", ".env perhaps means OPSGENIE_QUERY"),
        ("OPSGENIE_APIKEY=1", "OPSGENIE_APIKEY: there is no such variable; .env perhaps means OPSGENIE_API_KEY"),
        ("PAGERDUTY_EMAIL_FILE=/x", "perhaps means PAGERDUTY_EMAIL"),
        ("ON_PAGERDUTY_TIMEOUT=note", "perhaps means ON_PAGERDUTY_ACK_TIMEOUT"),
        ("ON_OPSGENIE_CLOSED=note", "perhaps means ON_OPSGENIE_CLOSE"),
        ("LOG_LEVEL 'DEBUG'", ".env: line 1 cannot be read; write NAME=value"),
    ],
)
def test_a_misspelt_line_of_the_dotenv_file_is_a_problem(tmp_path: Path, line: str, told: str | None) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    if told is None:
        assert load(REQUIRED, file)
    else:
        (only,) = problems(REQUIRED, file)
        assert told in only


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OPSGENIE_QUERRY", "OPSGENIE_QUERY"),
        ("OPSGENE_QUERY", "OPSGENIE_QUERY"),
        ("PAGERDUTY_WEBHOOK_SECRETS_FILE", "PAGERDUTY_WEBHOOK_SECRET_FILE"),
        ("ON_LATE_ALERTS", "ON_LATE_ALERT"),
    ],
)
def test_a_name_of_the_environment_that_only_we_can_be_meant_by_is_a_problem(name: str, meant: str) -> None:
    told = problem(**{name: "1"})
    assert told == f"{name}: there is no such variable; the environment perhaps means {meant}"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("POLL_INTERVALL_SECONDS", "POLL_INTERVAL_SECONDS"),
        ("HTTP_LISTN", "HTTP_LISTEN"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("DATABSE_URL", "DATABASE_URL"),
    ],
)
def test_another_name_of_the_environment_near_ours_is_warned_about(name: str, meant: str) -> None:
    assert loaded(**{name: "1"}).warnings() == (f"{name}: is not read; if {meant} is meant, rename it",)
    (first, second) = loaded(**{name: "1", "OPSGENIE_QUERY": "status: open"}).warnings()
    assert first.startswith(name)
    assert second.startswith("OPSGENIE_QUERY: ")


@pytest.mark.parametrize("name", ["LOG_LEVELS", "DATABASE_URI", "PAGERDUTY_TOKEN", "OPSGENIE_API_KEYS", "HOME"])
def test_names_that_others_use_or_whose_right_form_is_set_are_left_alone(name: str) -> None:
    assert loaded(**{name: "1"}).warnings() == ()


def test_a_command_on_the_database_alone_minds_no_misspelt_key() -> None:
    assert load_database({"OPSGENIE_QUERRY": "1"}, None)


def test_a_placeholder_of_the_sample_is_a_problem() -> None:
    for name, placeholder in PLACEHOLDERS.items():
        told = problem(**{name: placeholder})
        assert told.startswith(f"{name}: is still the placeholder of .env-example; give ")
    assert loaded(PAGERDUTY_EMAIL="reconciler@example.com", PAGERDUTY_API_URL="http://127.0.0.1:1/pagerduty")


@pytest.mark.parametrize("text", ["r.db", "sqlite://", "reconciler.db"])
def test_a_problem_keeps_its_example(text: str) -> None:
    assert "sqlite:///reconciler.db" in problem(DATABASE_URL=text)


def test_a_dotenv_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    (only,) = problems(REQUIRED, tmp_path / ".env")
    assert only == ".env: cannot be read: it is no regular file; fix or remove it"
    binary = tmp_path / "binary"
    binary.write_bytes(b"LOG_LEVEL=\xff")
    (only,) = problems(REQUIRED, binary)
    assert "it is not UTF-8" in only


def test_without_arguments_the_environment_of_the_process_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    for name, text in REQUIRED.items():
        monkeypatch.setenv(name, text)
    assert load() == load(os.environ) == loaded()


def test_a_command_on_the_database_alone_needs_no_key(tmp_path: Path) -> None:
    found = load_database({}, None)
    assert value_of(found.database_url) == "sqlite:///reconciler.db"
    assert (found.log_format, found.log_level, found.secret_values()) == (None, "INFO", ())
    file = tmp_path / ".env"
    file.write_text("DATABASE_URL=sqlite:///other.db\nLOG_LEVEL=error\nPAGERDUTY_EMAIL=nobody\n")
    found = load_database({"LOG_LEVEL": "debug", "OPSGENIE_WEBHOOK_SECRET": "x"}, file)
    assert (value_of(found.database_url), found.log_level) == ("sqlite:///other.db", "DEBUG")
    found = load_database({"DATABASE_URL": "postgres://u:hunter%402@db/name", "LOG_FORMAT": "json"}, None)
    assert (found.log_format, found.secret_values()) == ("json", ("hunter%402", "hunter@2"))
    assert "hunter" not in repr(found)


@pytest.mark.parametrize(
    "given",
    [
        {"DATABASE_URL": "mysql://u:hunter2@db/name"},
        {"DATABASE_URL": "sqlite://", "LOG_LEVEL": "loud"},
        {"DATABASE_URL_FILE": "/nowhere", "LOG_FORMAT": "xml"},
        {"DATABASE_URL": "sqlite:///a.db", "DATABASE_URL_FILE": "/nowhere"},
    ],
)
def test_a_database_problem_has_the_same_text_for_every_command(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_database(given, None)
    assert caught.value.problems == problems(REQUIRED | given)
    assert "hunter2" not in str(caught.value)


def test_explain_needs_no_key_and_keeps_those_it_has() -> None:
    found = load_lookup({}, None)
    assert (found.opsgenie_api_key, found.pagerduty_api_key, found.secret_values()) == (None, None, ())
    assert found.opsgenie_api_url == "https://api.opsgenie.com"
    given = {
        "OPSGENIE_API_KEY": "key-of-opsgenie",
        "PAGERDUTY_API_KEY": "key-of-pagerduty",
        "DATABASE_URL": "postgres://u:hunter2@db/name",
        "OPSGENIE_QUERY": "tag:prod",
    }
    found = load_lookup(given, None)
    assert found.secret_values() == ("key-of-opsgenie", "key-of-pagerduty", "hunter2")
    assert found.opsgenie_query == "tag:prod"
    assert not any(secret in repr(found) for secret in found.secret_values())
    with pytest.raises(SettingsError, match="OPSGENIE_API_URL"):
        load_lookup({"OPSGENIE_API_URL": "nowhere"}, None)


def value_of(secret: SecretStr) -> str:
    return secret.get_secret_value()


def test_opsgenies_heartbeat_needs_opsgenies_key_whichever_product_raises_the_alerts() -> None:
    jsm = {
        "ALERT_SOURCE": "jsm", "JSM_SITE_URL": "https://acme.atlassian.net", "JSM_EMAIL": "robot@customer.example",
        "JSM_API_TOKEN": "jsm-token-1234", "OPSGENIE_HEARTBEAT": "prod",
    }  # fmt: skip
    assert load(REQUIRED | jsm, dotenv=None).opsgenie_heartbeat == "prod"
    without = {name: text for name, text in REQUIRED.items() if name != "OPSGENIE_API_KEY"} | jsm
    (told,) = problems(without)
    assert told.startswith("OPSGENIE_HEARTBEAT: Opsgenie takes it with OPSGENIE_API_KEY only")
