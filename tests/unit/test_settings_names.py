import pytest

from reconciler.settings_names import is_placeholder, meant, misspelt, query_warnings

KNOWN = ("LOG_LEVEL", "DATABASE_URL", "OPSGENIE_API_KEY", "OPSGENIE_API_URL", "POLL_INTERVAL_SECONDS")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("LOGLEVEL", "LOG_LEVEL"),
        ("LOG_LEVLE", "LOG_LEVEL"),
        ("log_level", "LOG_LEVEL"),
        ("LOG-LEVEL", "LOG_LEVEL"),
        ("LOG_LVLS", ""),
        ("DATABASE", ""),
        ("OPSGENIE_APIKEYS", "OPSGENIE_API_KEY"),
        ("OPSGENIE_API_KURL", "OPSGENIE_API_URL"),
        ("POLL_INTERVALS_SECOND", "POLL_INTERVAL_SECONDS"),
        ("POLL_INTERVAL_MINUTES", ""),
        ("", ""),
    ],
)
def test_what_is_meant_is_the_nearest_name_within_a_small_distance(name: str, nearest: str) -> None:
    assert meant(name, KNOWN) == nearest
    assert meant(name, ()) == ""


def test_only_names_whose_right_form_is_not_set_are_misspelt() -> None:
    given = {"LOGLEVEL": "1", "LOG_LEVELS": "1", "DATABSE_URL": "1", "DATABASE_URL": "x", "HOME": "/"}
    assert list(misspelt(given, KNOWN)) == [("LOGLEVEL", "LOG_LEVEL")]
    assert list(misspelt(given | {"DATABASE_URL": ""}, KNOWN)) == [
        ("DATABSE_URL", "DATABASE_URL"),
        ("LOGLEVEL", "LOG_LEVEL"),
    ]


def test_the_samples_e_mail_is_the_sandboxs_too() -> None:
    given = {"PAGERDUTY_API_URL": "http://127.0.0.1:8900/pagerduty"}
    assert is_placeholder("PAGERDUTY_EMAIL", "reconciler@example.com", {})
    assert not is_placeholder("PAGERDUTY_EMAIL", "reconciler@example.com", given)
    assert is_placeholder("PAGERDUTY_SERVICE_ID", "PFAKE01", given)
    assert not is_placeholder("PAGERDUTY_SERVICE_ID", "PREAL01", {})


def test_a_query_that_misses_alerts_or_was_forgotten_is_warned_about() -> None:
    assert list(query_warnings("JSM_QUERY", "tag: a", other="tag: a")) == []
    assert list(query_warnings("JSM_QUERY", "")) == []
    (volatile,) = query_warnings("JSM_QUERY", "status: open AND owner: x")
    assert volatile.startswith("JSM_QUERY: asks for status, owner, which changes")
    (forgotten,) = query_warnings("JSM_QUERY", "", other="tag: a")
    assert forgotten.startswith("JSM_QUERY: is empty, which selects every alert, while OPSGENIE_QUERY is set")
