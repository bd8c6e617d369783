"""What the text of each setting may be, and what is said of any other."""

import sys

import pytest

from reconciler.settings import Address
from reconciler.settings_texts import passwords, volatile_terms
from tests.support.configured import loaded, problem, value


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
        ("POLL_INTERVAL_SECONDS", "1.5s", 1.5),
        ("SWEEP_INTERVAL_SECONDS", "15m", 900),
        ("INITIAL_LOOKBACK_SECONDS", "1h", 3600),
        ("RETENTION_SECONDS", "2d", 172800),
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
        ("ON_LATE_ALERT", "skip", "skip"),
        ("LATE_SECONDS", "7200", 7200),
        ("HEARTBEAT_URL", "https://example.com/ping/1?a=b", "https://example.com/ping/1?a=b"),
        ("OPSGENIE_HEARTBEAT", "reconciler alive", "reconciler alive"),
        ("HEARTBEAT_INTERVAL_SECONDS", "30", 30),
        ("OUTAGE_PAGE_SECONDS", "0", 0),
        ("HTTP_LISTEN", "127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("HTTP_LISTEN", "[::]:0", Address("::", 0)),
        ("STATUS_LISTEN", "127.0.0.1:8081", Address("127.0.0.1", 8081)),
        ("STATUS_PASSWORD", "open-sesame", "open-sesame"),
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
        ("HEARTBEAT_URL", "example.com/ping", "is not an http or https URL"),
        ("HEARTBEAT_URL", "https://example.com/a b", "is not an http or https URL"),
        ("HEARTBEAT_URL", "https://[", "is not an http or https URL"),
        ("ON_LATE_ALERT", "ignore", "page, note or skip"),
        ("OPSGENIE_QUERY", "\udcff", "contains a line break or another"),
        ("PAGERDUTY_API_URL", "api.pagerduty.com", '"api.pagerduty.com" is not an http or https URL'),
        ("PAGERDUTY_API_URL", "ftp://api.pagerduty.com", "is not an http or https URL"),
        ("PAGERDUTY_API_URL", "https://", "is not an http or https URL with a host"),
        ("PAGERDUTY_API_URL", "https://host:port", "is not a URL"),
        ("OPSGENIE_API_URL", "https://[::1", "is not a URL"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com/a b", "is not an http or https URL"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com?", "has a query or fragment"),
        ("OPSGENIE_API_URL", "https://api.opsgenie.com/#v2", "has a query or fragment"),
        (
            "POLL_INTERVAL_SECONDS",
            "fast",
            '"fast" is not a number of seconds; give for example 10, 0.5, 90s, 15m, 1h or 2d',
        ),
        ("POLL_INTERVAL_SECONDS", "10x", '"10x" is not a number of seconds'),
        ("POLL_INTERVAL_SECONDS", "s", "is not a number of seconds"),
        ("POLL_INTERVAL_SECONDS", "1_0m", "is not a number of seconds"),
        ("POLL_INTERVAL_SECONDS", "0m", "is too small"),
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
    "name",
    [
        "PAGERDUTY_API_KEY",
        "OPSGENIE_API_KEY",
        "PAGERDUTY_WEBHOOK_SECRET",
        "OPSGENIE_WEBHOOK_SECRET",
        "STATUS_PASSWORD",
    ],
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


def test_postgresql_without_its_driver_is_a_problem_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = problem(DATABASE_URL="postgresql://u:hunter2@db/name")
    assert told.startswith("DATABASE_URL: ")
    assert "needs the extra: pip install 'reconciler[postgres]'" in told
    assert "hunter2" not in told
    assert loaded(DATABASE_URL="sqlite:///r.db")


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
    assert told.replace('"', "").endswith(f"; give {right}")
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


def test_every_password_in_a_databases_address_is_a_secret() -> None:
    url = "postgresql://u:p%40ss@db/name?sslpassword=of-the-key&password=other"
    assert set(passwords(url)) == {"p%40ss", "p@ss", "of-the-key", "other"}
