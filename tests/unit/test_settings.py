"""The settings, and the messages to the operator about wrong values."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from reconciler.errors import Misconfigured
from reconciler.settings import (
    Address,
    Settings,
    SettingsError,
    load,
    load_database,
    variables,
)
from reconciler.settings_texts import volatile_terms

REQUIRED = {
    "PAGERDUTY_API_KEY": "u+pd-key-1234",
    "PAGERDUTY_SERVICE_ID": "PSERV01",
    "PAGERDUTY_EMAIL": "reconciler@example.com",
    "PAGERDUTY_USER": "Reconciler Bot",
    "OPSGENIE_API_KEY": "og-key-5678",
}
DEFAULTS = {
    "PAGERDUTY_WEBHOOK_SECRET": (),
    "OPSGENIE_INTEGRATION_ID": None,
    "OPSGENIE_WEBHOOK_SECRET": None,
    "PAGERDUTY_API_URL": "https://api.pagerduty.com",
    "OPSGENIE_API_URL": "https://api.opsgenie.com",
    "OPSGENIE_QUERY": "",
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
    "ON_PAGERDUTY_ACK_TIMEOUT": "mirror",
    "REMIND_SECONDS": 600,
    "HTTP_LISTEN": None,
    "LOG_FORMAT": None,
    "LOG_LEVEL": "INFO",
}
SECRETS = {
    "PAGERDUTY_API_KEY",
    "PAGERDUTY_WEBHOOK_SECRET",
    "OPSGENIE_API_KEY",
    "OPSGENIE_WEBHOOK_SECRET",
    "DATABASE_URL",
}


def loaded(**given: str) -> Settings:
    return load(REQUIRED | given, dotenv=None)


def value(settings: Settings, name: str) -> object:
    held = getattr(settings, name.lower())
    if isinstance(held, tuple) and not isinstance(held, Address):
        return tuple(one.get_secret_value() if hasattr(one, "get_secret_value") else one for one in held)
    return held.get_secret_value() if hasattr(held, "get_secret_value") else held


def problems(given: dict[str, str], dotenv: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(given, dotenv)
    return caught.value.problems


def problem(**given: str) -> str:
    (only,) = problems(REQUIRED | given)
    return only


def test_the_variables_are_those_of_the_contract() -> None:
    assert set(variables()) == set(REQUIRED) | set(DEFAULTS)
    assert {name for name, read in variables().items() if read.secret} == SECRETS
    assert {name for name, read in variables().items() if read.needs} == set(REQUIRED)


def test_the_required_variables_suffice() -> None:
    settings = loaded()
    assert {name: value(settings, name) for name in REQUIRED | DEFAULTS} == REQUIRED | DEFAULTS


@pytest.mark.parametrize("name", sorted(REQUIRED | DEFAULTS))
def test_an_empty_value_counts_as_not_set(name: str) -> None:
    if name in REQUIRED:
        assert problem(**{name: ""}).startswith(f"{name}: is missing; give ")
    else:
        assert value(loaded(**{name: ""}), name) == DEFAULTS[name]


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("PAGERDUTY_WEBHOOK_SECRET", "new-one, old-one", ("new-one", "old-one")),
        ("PAGERDUTY_API_URL", "https://api.eu.pagerduty.com/", "https://api.eu.pagerduty.com"),
        ("OPSGENIE_API_URL", "http://127.0.0.1:8900/opsgenie", "http://127.0.0.1:8900/opsgenie"),
        ("OPSGENIE_QUERY", 'tag: "critical" AND priority: P1', 'tag: "critical" AND priority: P1'),
        ("DATABASE_URL", "sqlite:////data/a b.db", "sqlite:////data/a b.db"),
        ("DATABASE_URL", "sqlite+pysqlite:///r.db", "sqlite:///r.db"),
        ("DATABASE_URL", "postgres://u:p@db/name", "postgresql+psycopg://u:p@db/name"),
        ("DATABASE_URL", "postgresql://u:p@[::1]:5432/name?x=y", "postgresql+psycopg://u:p@[::1]:5432/name?x=y"),
        ("DATABASE_URL", "postgresql+psycopg:///name?host=/run", "postgresql+psycopg:///name?host=/run"),
        ("POLL_INTERVAL_SECONDS", " 0.5\r", 0.5),
        ("SWEEP_INTERVAL_SECONDS", "10", 10),
        ("INITIAL_LOOKBACK_SECONDS", "0", 0),
        ("STALENESS_SECONDS", "0", 0),
        ("ON_OPSGENIE_UNACKNOWLEDGE", "note", "note"),
        ("ON_OPSGENIE_CLOSE", "resolve", "resolve"),
        ("ON_OPSGENIE_PRIORITY", "note", "note"),
        ("ON_OPSGENIE_PRIORITY", "ignore", "ignore"),
        ("HIGH_URGENCY_PRIORITIES", "P1", ("P1",)),
        ("HIGH_URGENCY_PRIORITIES", " p1 ,P2,  p3", ("P1", "P2", "P3")),
        ("ON_PAGERDUTY_ACK_TIMEOUT", "ignore", "ignore"),
        ("REMIND_SECONDS", "60", 60),
        ("HTTP_LISTEN", "127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("HTTP_LISTEN", "[::]:0", Address("::", 0)),
        ("LOG_FORMAT", "json", "json"),
        ("LOG_LEVEL", "debug", "DEBUG"),
    ],
)
def test_a_value_is_parsed(name: str, text: str, read: object) -> None:
    listener = {} if name == "HTTP_LISTEN" else {"HTTP_LISTEN": "127.0.0.1:8080"}
    assert value(loaded(**{name: text}, **listener), name) == read


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:80"])
def test_an_address_is_rendered_as_it_is_parsed(text: str) -> None:
    assert str(loaded(HTTP_LISTEN=text).http_listen) == text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("PAGERDUTY_SERVICE_ID", "https://acme.example/services/P1", "is not an id"),
        ("PAGERDUTY_EMAIL", "Reconciler Bot", "is not an e-mail address"),
        ("PAGERDUTY_EMAIL", "jürgen@example.com", "is not an e-mail address"),
        ("PAGERDUTY_USER", "a\nb", "contains a line break"),
        ("OPSGENIE_QUERY", "a\x00b", "contains a line break or another"),
        ("OPSGENIE_QUERY", "\udcff", "contains a line break or another"),
        ("PAGERDUTY_API_URL", "api.pagerduty.com", '"api.pagerduty.com" is not an http or https URL'),
        ("PAGERDUTY_API_URL", "ftp://api.pagerduty.com", "is not an http or https URL"),
        ("PAGERDUTY_API_URL", "https://", "is not an http or https URL with a host"),
        ("PAGERDUTY_API_URL", "https://host:port", "is not a URL"),
        ("OPSGENIE_API_URL", "https://[::1", "is not a URL"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com/a b", "is not an http or https URL"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com?", "has a query or fragment"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com/#v2", "has a query or fragment"),
        ("POLL_INTERVAL_SECONDS", "fast", '"fast" is not a number of seconds; give for example 10 or 0.5'),
        ("POLL_INTERVAL_SECONDS", "10s", '"10s" is not a number of seconds'),
        ("POLL_INTERVAL_SECONDS", "1_0", "is not a number of seconds"),
        ("POLL_INTERVAL_SECONDS", "nan", "is not a number of seconds"),
        ("POLL_INTERVAL_SECONDS", "0", '"0" is too small; give more than 0'),
        ("SWEEP_INTERVAL_SECONDS", "inf", "is not a number of seconds"),
        ("SWEEP_INTERVAL_SECONDS", "-1", "is too small"),
        ("INITIAL_LOOKBACK_SECONDS", "-1", "is too small; give at least 0"),
        ("INITIAL_LOOKBACK_SECONDS", "1e300", "is too large"),
        ("STALENESS_SECONDS", "-0.1", "is too small"),
        ("ON_OPSGENIE_UNACKNOWLEDGE", "page", '"page" is not known; give retrigger or note'),
        ("ON_OPSGENIE_CLOSE", "close", '"close" is not known; give note, resolve or ignore'),
        ("ON_OPSGENIE_PRIORITY", "page", '"page" is not known; give urgency, note or ignore'),
        ("HIGH_URGENCY_PRIORITIES", "P0", '"P0" is not a list of priorities; give for example P1,P2'),
        ("HIGH_URGENCY_PRIORITIES", "P1,,P2", "is not a list of priorities"),
        ("HIGH_URGENCY_PRIORITIES", "critical", "is not a list of priorities"),
        ("HIGH_URGENCY_PRIORITIES", ",", "is not a list of priorities"),
        ("REMIND_SECONDS", "0", '"0" is too small; give more than 0'),
        ("REMIND_SECONDS", "never", "is not a number of seconds"),
        ("ON_PAGERDUTY_ACK_TIMEOUT", "Mirror", "is not known; give mirror or ignore"),
        ("HTTP_LISTEN", "8080", '"8080" is not host:port'),
        ("HTTP_LISTEN", ":8080", "is not host:port"),
        ("HTTP_LISTEN", "::1:8080", "is not host:port"),
        ("HTTP_LISTEN", "localhost:70000", "is not host:port"),
        ("LOG_FORMAT", "xml", "is not known; give text or json"),
        ("LOG_LEVEL", "loud", '"loud" is not known'),
    ],
)
def test_a_malformed_value_is_a_problem(name: str, text: str, says: str) -> None:
    told = problem(**{name: text})
    assert told.startswith(f"{name}: ")
    assert says in told
    assert told.isprintable()
    assert "; " in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("key with blanks", "contains white space"),
        ("key-and-newline\n", "contains white space"),
        ("kéy-abroad", "not ASCII"),
        ("key-\x07-bell", "not ASCII"),
    ],
)
@pytest.mark.parametrize(
    "name", ["PAGERDUTY_API_KEY", "OPSGENIE_API_KEY", "PAGERDUTY_WEBHOOK_SECRET", "OPSGENIE_WEBHOOK_SECRET"]
)
def test_a_malformed_secret_is_a_problem_that_does_not_show_it(name: str, text: str, says: str) -> None:
    told = problem(**{name: text, "HTTP_LISTEN": "127.0.0.1:1", "OPSGENIE_INTEGRATION_ID": "1-2"})
    assert told.startswith(f"{name}: ")
    assert says in told
    assert text.strip() not in told


@pytest.mark.parametrize("text", ["one,,two", "one,", ","])
def test_an_empty_webhook_secret_between_commas_is_a_problem(text: str) -> None:
    told = problem(PAGERDUTY_WEBHOOK_SECRET=text, HTTP_LISTEN="127.0.0.1:1")
    assert "has an empty entry" in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reconciler.db", "is not a database URL"),
        ("mysql://u:hunter2@db/name", "not supported"),
        ("postgresql+psycopg2://u:hunter2@db/name", "a driver that is not shipped"),
        ("sqlite+aiosqlite:///r.db", "a driver that is not shipped"),
        ("postgresql://u:hunter2@db:port/name", "is not in the form"),
        ("postgresql://u:hunt@er2@db/name", "is not in the form"),
        ("postgresql://u:hunter2@db/na\nme", "contains a line break"),
        ("sqlite://", "would page everybody again"),
        ("sqlite:///", "would page everybody again"),
        ("sqlite:///:memory:", "would page everybody again"),
        ("sqlite:///file:r?mode=memory&uri=true", "would page everybody again"),
        ("sqlite:///file:r.db?uri=true", "is an SQLite URI"),
        ("sqlite://reconciler.db", "has too few slashes"),
    ],
)
def test_an_unsupported_database_is_a_problem(text: str, says: str) -> None:
    told = problem(DATABASE_URL=text)
    assert told.startswith("DATABASE_URL: ")
    assert says in told
    assert "hunter2" not in told


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


def test_a_malformed_value_is_not_reported_as_a_contradiction() -> None:
    told = problem(OPSGENIE_INTEGRATION_ID="no id", OPSGENIE_WEBHOOK_SECRET="header")
    assert told.startswith("OPSGENIE_INTEGRATION_ID: ")


def test_the_poll_interval_may_exceed_the_sweep_interval() -> None:
    assert loaded(POLL_INTERVAL_SECONDS="600").sweep_interval_seconds == 300


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    text = "sqlite:///from-file.db" if name == "DATABASE_URL" else "from-file"
    file = tmp_path / "secret"
    file.write_text(f"{text}\n")
    given = REQUIRED | {"HTTP_LISTEN": "127.0.0.1:1", "OPSGENIE_INTEGRATION_ID": "1-2", f"{name}_FILE": str(file)}
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
        (tmp_path, "Is a directory"),
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
    )
    hidden = settings.secret_values()
    assert set(hidden) == {
        REQUIRED["PAGERDUTY_API_KEY"],
        REQUIRED["OPSGENIE_API_KEY"],
        "sign-1",
        "sign-2",
        "header-value",
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
        ("OPSGENE_API_KEY=1", None),
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


def test_an_unknown_variable_of_the_environment_is_ignored() -> None:
    assert loaded(OPSGENIE_APIKEY="1")


def test_a_dotenv_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    (only,) = problems(REQUIRED, tmp_path / ".env")
    assert only == ".env: cannot be read: Is a directory; fix or remove it"
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


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("OPSGENIE_API_URL", "https://api.opsgenie.com/v2", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://api.eu.opsgenie.com/v2/alerts/", "https://api.eu.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com/anything", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://proxy.example.com/og/V2/Alerts", "https://proxy.example.com/og"),
        ("OPSGENIE_API_URL", "http://127.0.0.1:8900/opsgenie/v2", "http://127.0.0.1:8900/opsgenie"),
        ("OPSGENIE_API_URL", "http://[::1]:8900/alerts", "http://[::1]:8900"),
        ("OPSGENIE_API_URL", "https://app.opsgenie.com", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://acme.app.opsgenie.com/alert/list", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://acme.app.eu.opsgenie.com", "https://api.eu.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://ACME.App.Opsgenie.com./", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://opsgenie.com", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://acme.atlassian.net", "https://api.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://api.pagerduty.com", "https://api.opsgenie.com"),
        ("PAGERDUTY_API_URL", "https://acme.pagerduty.com", "https://api.pagerduty.com"),
        ("PAGERDUTY_API_URL", "https://acme.eu.pagerduty.com/incidents", "https://api.eu.pagerduty.com"),
        ("PAGERDUTY_API_URL", "https://events.pagerduty.com", "https://api.pagerduty.com"),
        ("PAGERDUTY_API_URL", "https://api.pagerduty.com/incidents", "https://api.pagerduty.com"),
        ("PAGERDUTY_API_URL", "https://gateway.example.com/pd/log_entries", "https://gateway.example.com/pd"),
        ("PAGERDUTY_API_URL", "https://api.opsgenie.com", "https://api.pagerduty.com"),
    ],
)
def test_a_wrong_api_address_is_a_problem_that_gives_the_right_one(name: str, text: str, right: str) -> None:
    told = problem(**{name: text})
    assert told.startswith(f"{name}: ")
    assert told.endswith(f"; give {right}")
    assert "\n" not in told
    assert loaded(**{name: right})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OPSGENIE_API_URL", "https://api.eu.opsgenie.com"),
        ("OPSGENIE_API_URL", "https://api.sandbox.opsgenie.com"),
        ("OPSGENIE_API_URL", "http://localhost:8900/opsgenie"),
        ("OPSGENIE_API_URL", "https://gateway.example.com/v2/opsgenie"),
        ("OPSGENIE_API_URL", "https://opsgenie.com.example.net/app"),
        ("PAGERDUTY_API_URL", "https://api.eu.pagerduty.com"),
        ("PAGERDUTY_API_URL", "http://[::1]:8900/pagerduty"),
        ("PAGERDUTY_API_URL", "https://notpagerduty.com"),
    ],
)
def test_other_addresses_and_path_prefixes_are_allowed(name: str, text: str) -> None:
    assert value(loaded(**{name: text}), name) == text


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("", ()),
        ("status:open", ("status",)),
        ("status : open AND tag:x", ("status",)),
        ("tag:x AND NOT (STATUS: closed)", ("STATUS",)),
        ("status:open AND acknowledged:false AND status:open", ("status", "acknowledged")),
        ("snoozed: true", ("snoozed",)),
        ("isSeen:false OR isseen:true", ("isSeen", "isseen")),
        ("snoozedUntil > 1700000000000", ("snoozedUntil",)),
        ("acknowledgedBy: null", ("acknowledgedBy",)),
        ("closedBy is null", ("closedBy",)),
        ("status !: closed", ("status",)),
        ('tag:"a \\" b" AND status: open', ("status",)),
        ('message: "status: red"', ()),
        ('message: "say \\"status: red\\""', ()),
        ("message: status", ()),
        ("details.status: red", ()),
        ("exit_status: 1 OR tag:mystatus AND statuspage:x", ()),
        ("priority: P1 AND teams: ops", ()),
    ],
)
def test_a_query_on_changing_fields_is_warned_about(query: str, terms: tuple[str, ...]) -> None:
    assert volatile_terms(query) == terms
    told = loaded(OPSGENIE_QUERY=query).warnings()
    assert len(told) == (1 if terms else 0)
    for line in told:
        assert line.startswith(f"OPSGENIE_QUERY: asks for {', '.join(terms)}, ")
        assert "between two polls" in line
        assert "next sweep" in line
        assert line.isprintable()


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


def value_of(secret: SecretStr) -> str:
    return secret.get_secret_value()
