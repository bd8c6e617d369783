"""Who counts as the automation user."""

from dataclasses import replace

import pytest

from reconciler.core.model import Person
from reconciler.core.policy import Policy
from tests.support.builders import ROBOT, account, policy


@pytest.mark.parametrize(
    ("automation", "person", "ours"),
    [
        pytest.param(Person("PBOT", "Bridge"), Person("PBOT", "Renamed"), True, id="by id, whatever the name"),
        pytest.param(Person("PBOT", "Bridge"), Person("PX", "Bridge"), False, id="a namesake with an id is not"),
        pytest.param(
            Person("", "Bridge"), Person("PX", "Bridge"), True, id="by name where the automation user has no id"
        ),
        pytest.param(
            Person("PBOT", "Bridge"), Person("", "Bridge"), True, id="by name where the person has no id"
        ),
        pytest.param(Person("", "Bridge"), Person("PX", "Jane"), False, id="another name"),
        pytest.param(Person("", ""), Person("", ""), False, id="an empty name is not ours"),
        pytest.param(
            Person("PBOT", ""), Person("", ""), False, id="an empty name is not ours, although we have none"
        ),
        pytest.param(
            Person("", "somebody"), Person("", "somebody"), False, id="somebody is never the automation user"
        ),
    ],
)
def test_the_automation_user_is_recognised_by_id_or_by_name_where_an_id_is_missing(
    automation: Person, person: Person, ours: bool
) -> None:
    rules = policy(automation=automation)
    assert rules.is_automation(person) is ours
    assert rules.is_echo_of_us(person) is ours
    assert not replace(rules, guards=frozenset({"outbox", "mark"})).is_echo_of_us(person)


@pytest.mark.parametrize(
    ("us", "them", "same"),
    [
        (Person("PBOT", "Bot"), Person("PBOT", "renamed"), True),
        (Person("PBOT", "Bot"), Person("PJANE", "Bot"), False),
        (Person("PBOT", "Bot"), Person("", "Bot"), True),
        (Person("", "Bot"), Person("PBOT", "Bot"), True),
        (Person("", ""), Person("", ""), False),
        (Person("PBOT", "PBOT"), Person("PBOT", "Bot"), True),
        (Person("Bot", "Bot"), Person("PBOT", "Bot"), True),
        (Person("Bot", "Bot"), Person("PJANE", "Jane"), False),
    ],
    ids=[
        "the id counts",
        "a namesake with another id is another person",
        "without an id, the name counts",
        "if the automation user has no id, the name counts",
        "an empty person is nobody",
        "not confirmed yet, configured by id",
        "not confirmed yet, configured by name",
        "not confirmed yet, another person",
    ],
)
def test_the_automation_user_is_recognised_before_and_after_confirmation(
    us: Person, them: Person, same: bool
) -> None:
    assert Policy(automation=us).is_automation(them) is same


@pytest.mark.parametrize(
    ("person", "ours"),
    [
        pytest.param(Person(ROBOT.id, "Renamed"), True, id="by id, whatever the name"),
        pytest.param(Person("712020:other", ROBOT.name), False, id="a namesake with an id is not"),
        pytest.param(Person("", ROBOT.name), True, id="by name where the person has no id"),
        pytest.param(Person(ROBOT.name, ROBOT.name), True, id="a name in the place of an id is none"),
        pytest.param(Person("", "Ana Ruiz"), False, id="another name"),
        pytest.param(Person("", ""), False, id="nobody"),
    ],
)
def test_our_account_on_the_alert_side_is_recognised_by_id_or_by_name_where_an_id_is_missing(
    person: Person, ours: bool
) -> None:
    rules = account()
    assert rules.is_alert_user(person) is ours
    assert rules.is_echo_on_alert(person) is ours
    assert not replace(rules, guards=frozenset({"outbox", "mark"})).is_echo_on_alert(person)
    assert not policy().is_alert_user(person), "Opsgenie has no such account"


def test_our_account_without_an_id_is_recognised_by_its_name() -> None:
    rules = account(alert_user=Person("", "robot@example.com"))
    assert rules.is_alert_user(Person("712020:x", "robot@example.com"))
    assert not rules.is_alert_user(Person("712020:x", "Ana Ruiz"))
