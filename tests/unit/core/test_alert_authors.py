"""Whom an alert names for what we did, by the way in which its product is written to."""

import pytest

from reconciler.core.alert_authors import did, doer, is_us, wrote
from reconciler.core.model import Kind, Person
from reconciler.core.moved_notes import key_mark
from reconciler.core.policy import Policy
from tests.support.builders import ANA, JANE, NOBODY, ROBOT, account, act, action, named, note, policy

SIGNED = Person("", "Jane Doe (PagerDuty)")
MARKED = "[PagerDuty · Jane Doe · note PN1] on it"


@pytest.mark.parametrize(
    ("person", "rules", "ours"),
    [
        (JANE, policy(), True),
        (ROBOT, policy(), False),
        (JANE, named(), True),
        (ROBOT, named(), True),
        (JANE, account(), False),
        (ROBOT, account(), True),
        (ANA, account(), False),
        (NOBODY, account(), False),
        (NOBODY, policy(), False),
    ],
)
def test_what_we_did_bears_the_engineers_name_or_that_of_our_account(
    person: Person, rules: Policy, ours: bool
) -> None:
    assert is_us(person, "Jane Doe", rules) is ours
    assert did(action(Kind.ALERT_ACKNOWLEDGE, person="Jane Doe"), person, rules) is ours


@pytest.mark.parametrize(
    ("author", "words", "of_account", "of_opsgenie"),
    [
        (SIGNED, MARKED, True, True),
        (SIGNED, "on it", False, False),
        (SIGNED, "[PagerDuty · Omar Haddad · note PN1] on it", False, False),
        (SIGNED, "[Opsgenie · Jane Doe · 2026-11-23 09:00:05.000Z] on it", False, False),
        (Person("", "reconciler (PagerDuty)"), key_mark("PINC1", "a-0"), True, True),
        (SIGNED, key_mark("PINC1", "a-0"), False, False),
        (ROBOT, MARKED, True, False),
        (ROBOT, "without a mark", True, False),
        (ANA, MARKED, False, False),
    ],
)
def test_our_notes_are_signed_or_by_our_account(
    author: Person, words: str, of_account: bool, of_opsgenie: bool
) -> None:
    assert wrote(note("o1", author, words), account()) is of_account
    assert wrote(note("o1", author, words), policy()) is of_opsgenie


def test_where_the_alert_names_who_acted_its_log_is_not_asked() -> None:
    assert doer("acknowledge", "Bob Ray", [act("acknowledge", ANA)], policy()) == Person("", "Bob Ray")
    assert doer("acknowledge", "Bob Ray", [act("acknowledge", ANA)], account()) == ANA


def test_our_own_act_is_named_where_nobody_else_has_acted() -> None:
    assert doer("acknowledge", "", [act("acknowledge", ROBOT)], account()) == ROBOT
    assert doer("close", "Bob Ray", [act("close", None)], account()) == Person("", "Bob Ray")
