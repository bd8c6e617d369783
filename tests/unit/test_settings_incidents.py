"""The settings of an incident's title, its priority and its details."""

import pytest

from reconciler.core import title
from reconciler.settings import Settings
from tests.support.configured import loaded, problem


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("P1=SEV-1", (("P1", "SEV-1"),)),
        (" p1 = Sev 1 , P5=a=b ", (("P1", "Sev 1"), ("P5", "a=b"))),
    ],
)
def test_priorities_are_pairs(text: str, read: tuple[tuple[str, str], ...]) -> None:
    assert loaded(PAGERDUTY_PRIORITIES=text).pagerduty_priorities == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("all", None),
        ("none", frozenset()),
        ("host, run book", frozenset({"host", "run book"})),
        ("None", frozenset({"None"})),
    ],
)
def test_details_are_all_none_or_names(text: str, read: frozenset[str] | None) -> None:
    assert loaded(INCIDENT_DETAILS=text).details() == read


def test_without_settings_nothing_changes() -> None:
    settings: Settings = loaded()
    assert (settings.pagerduty_priorities, settings.incident_title, settings.details()) == (
        (),
        title.MESSAGE,
        None,
    )


@pytest.mark.parametrize("text", ["{message}", "[{priority}] {message} {{{tags}}}"])
def test_a_title_is_taken_as_it_is(text: str) -> None:
    assert loaded(INCIDENT_TITLE=text).incident_title == text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("INCIDENT_TITLE", "{team}: {message}", "has the unknown field {team}; there are {message}, {priority},"),
        ("INCIDENT_TITLE", "{}", "has the unknown field {}"),
        ("INCIDENT_TITLE", "{message!r}", "has the unknown field {message!r}"),
        ("INCIDENT_TITLE", "{message.__class__}", "has the unknown field {message.__class__}"),
        ("INCIDENT_TITLE", "{message", "has a brace without its counterpart; write it twice"),
        ("INCIDENT_TITLE", "message}", "has a brace without its counterpart"),
        (
            "INCIDENT_TITLE",
            "message",
            "gives each incident the same title; give for example [{priority}] {message}",
        ),
        ("INCIDENT_TITLE", "{{message}}", "gives each incident the same title"),
        ("INCIDENT_TITLE", "{message}\n!", "contains a line break"),
        ("INCIDENT_DETAILS", "host,,disk", "has an empty name; give all, none, or names"),
        ("INCIDENT_DETAILS", "host,all", 'has "all" among names; give all alone, or names of details only'),
        ("INCIDENT_DETAILS", "none,none", 'has "none" among names'),
        ("PAGERDUTY_PRIORITIES", "SEV-1", '"SEV-1" is not a priority of alerts and the name of one of PagerDuty'),
        ("PAGERDUTY_PRIORITIES", "P6=SEV-1", "give for example P1=SEV-1,P2=SEV-2"),
        ("PAGERDUTY_PRIORITIES", "P1=", "is not a priority of alerts and the name"),
        ("PAGERDUTY_PRIORITIES", "P1=a,", '"" is not a priority of alerts and the name'),
        ("PAGERDUTY_PRIORITIES", "P1=a,p1=b", "has P1 twice; give each priority of alerts once"),
    ],
)
def test_a_malformed_value_is_a_problem_with_its_fix(name: str, text: str, says: str) -> None:
    told = problem(**{name: text})
    assert told.startswith(f"{name}: ")
    assert says in told
