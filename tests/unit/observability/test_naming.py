"""Names and numbers as every log line, command and metric has them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.model import Kind, Status
from reconciler.observability.naming import (
    STATES,
    alert_name,
    clock,
    counted,
    incident_name,
    kinds_of,
    listed,
    names_of,
    pair_name,
    span,
    state_of,
)
from tests.support.builders import action, at, pair


def test_every_state_of_an_action_has_a_name_and_a_sent_one_two() -> None:
    states = [action(Kind.ALERT_NOTE, status) for status in Status]
    states.append(action(Kind.ALERT_NOTE, Status.SENT, error="no answer"))
    assert {state_of(each) for each in states} == {*STATES}
    assert state_of(action(Kind.ALERT_NOTE, Status.SENT)) == "in flight"
    assert state_of(states[-1]) == "unknown"
    assert state_of(action(Kind.ALERT_NOTE, error="503")) == "planned"


def test_a_pair_is_named_by_numbers_and_title_as_far_as_they_are_known() -> None:
    known = pair()
    assert pair_name("a-1", known) == '#17 "Disk full", incident #4711'
    assert pair_name("a-1", pair(None)) == '#17 "Disk full"'
    assert pair_name("a-1", replace(known, title="")) == "#17, incident #4711"
    assert pair_name("a-1", None) == alert_name("a-1", None) == "alert a-1"
    assert incident_name(None) == ""


def test_what_was_seen_of_an_alert_names_it_only_while_its_title_is_unknown() -> None:
    untitled = replace(pair(), title="")
    assert pair_name("a-1", untitled, 'Alert #17 "Disk"') == 'Alert #17 "Disk", incident #4711'
    assert pair_name("a-1", pair(), "Alert #17") == '#17 "Disk full", incident #4711'


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(number, "page") for number in (0, 1, 2)] == ["0 pages", "1 page", "2 pages"]
    assert [listed(list("abc")[:most]) for most in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_actions_are_counted_by_what_they_do() -> None:
    kinds = [Kind.CREATE_INCIDENT] * 7 + [Kind.PAGERDUTY_NOTE, Kind.ALERT_NOTE, Kind.ALERT_ACKNOWLEDGE]
    assert kinds_of(kinds) == "7 pages, 2 notes and 1 state change"
    assert kinds_of([]) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.99, "less than 1 s"),
        (1, "1 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (11100, "3 h 5 min"),
        (172799, "47 h 59 min"),
        (172800, "2 d"),
        (187200, "2 d 4 h"),
    ],
)
def test_a_length_of_time_is_told_to_the_precision_that_matters(seconds: float, words: str) -> None:
    assert span(seconds) == span(timedelta(seconds=seconds)) == words


def test_a_pair_has_its_names_as_fields_as_far_as_they_are_known() -> None:
    assert names_of("a-1").fields() == {"alert_id": "a-1"}
    assert names_of("a-1", pair(None, title="")).fields() == {"alert_id": "a-1", "alert": "17"}
    known = names_of("a-1", pair())
    assert known.words == '#17 "Disk full", incident #4711'
    assert known.fields() == {
        "alert_id": "a-1",
        "alert": "17",
        "title": "Disk full",
        "incident_id": "PINC1",
        "incident": 4711,
    }


def test_a_time_of_another_day_has_its_date() -> None:
    assert clock(at(0), at(60)) == "09:01 UTC"
    assert clock(at(0), at(24 * 3600)) == "2026-11-24 09:00 UTC"
