"""Each write is logged once in each of its states, as loudly as that state deserves."""

import logging
from dataclasses import replace
from typing import Any, cast

import pytest

from reconciler.core.mapping import SECOND_INCIDENT
from reconciler.core.model import Action, Kind, Status
from reconciler.core.product import JSM
from reconciler.observability.naming import names_of
from reconciler.runtime.action_log import ActionLog
from tests.support.builders import action, pair

NOTE = action(Kind.ALERT_NOTE)
SENT = action(Kind.ALERT_NOTE, Status.SENT)


def logged(caplog: pytest.LogCaptureFixture, *actions: Action) -> list[tuple[str, str]]:
    """Level and words of each line."""
    caplog.set_level(logging.INFO)
    caplog.clear()
    ActionLog().say(actions, {"a-1": names_of("a-1", pair(None, title=""))})
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_an_open_action_is_news_once_and_again_when_its_error_changes() -> None:
    log = ActionLog()
    doubtful = replace(SENT, error="no answer")
    assert log.news([SENT]) == [SENT]
    assert log.news([SENT]) == []
    assert log.news([doubtful, doubtful]) == [doubtful]
    assert log.news([SENT]) == [SENT]


def test_an_action_that_only_waits_is_no_news() -> None:
    assert ActionLog().news([NOTE, replace(NOTE, error="503")]) == []


def test_an_action_that_is_sent_a_second_time_is_news_again() -> None:
    log = ActionLog()
    seen = [log.news([each]) for each in (SENT, NOTE, SENT, replace(NOTE, status=Status.DONE))]
    assert [bool(news) for news in seen] == [True, False, True, True]


@pytest.mark.parametrize(
    ("logged_action", "level", "words"),
    [
        (replace(NOTE, status=Status.DONE), "INFO", "opsgenie.add_note done: #17"),
        (SENT, "INFO", "opsgenie.add_note in flight: #17"),
        (replace(SENT, error="no answer"), "WARNING", "opsgenie.add_note unknown: #17"),
        (replace(NOTE, status=Status.DEAD, error="too long"), "ERROR", "opsgenie.add_note dead: #17"),
        (replace(SENT, alert_id="a-2"), "INFO", "opsgenie.add_note in flight: alert a-2"),
    ],
)
def test_a_line_has_the_level_of_its_state_and_the_alerts_name(
    caplog: pytest.LogCaptureFixture, logged_action: Action, level: str, words: str
) -> None:
    ((found, line),) = logged(caplog, logged_action)
    assert found == level
    assert words in line
    assert ("too long" in line) is (logged_action.error == "too long")


def test_a_second_incident_that_nobody_follows_is_an_error_in_its_own_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    second = action(Kind.PAGERDUTY_NOTE, Status.DONE, reason=f"{SECOND_INCIDENT} #4712")
    ((level, line),) = logged(caplog, second)
    assert level == "ERROR"
    assert f"#17: {SECOND_INCIDENT} #4712" in line
    assert "'subject': 'second_incident'" in line


def test_a_line_has_the_names_of_both_sides_as_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dead = replace(NOTE, status=Status.DEAD, error="too long")
    ActionLog().say([dead], {"a-1": names_of("a-1", pair())})
    (record,) = caplog.records
    assert isinstance(record.msg, dict)
    names = {"alert": "17", "alert_id": "a-1", "title": "Disk full", "incident": 4711, "incident_id": "PINC1"}
    stands = {
        "subject": "dead",
        "kind": "opsgenie.add_note",
        "state": "dead",
        "reason": "because",
        "error": "too long",
    }
    assert record.msg.items() >= (names | stands).items()


def test_a_write_to_the_alert_side_bears_the_products_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    written = action(Kind.ALERT_ACKNOWLEDGE, Status.DONE)
    ActionLog(JSM).say([written], {})
    (line,) = [cast("dict[str, Any]", record.msg) for record in caplog.records]
    assert (line["event"].partition(":")[0], line["kind"]) == ("jsm.acknowledge done", "jsm.acknowledge")
