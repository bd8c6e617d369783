"""The automation user and the service: when PagerDuty is asked about them, and what each answer allows."""

from datetime import timedelta
from typing import Any, cast

import pytest

from reconciler.core.model import Person
from reconciler.errors import Blocked, Misconfigured, Permanent, PersonsToken, ReconcilerError, Refused, Unknown
from reconciler.reconcile.identity import AccountView, Identity
from reconciler.vendors.ports import AutomationUser, OnCall, ServiceStatus
from tests.support.builders import BOT

CONFIGURED = Person("bot", "bot")
INTERVAL = 300.0


class PagerDuty:
    """Answers as set by the test; `took` is the duration of each answer."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.took = 0.0
        self.asked: list[str] = []
        self.wrong: dict[str, ReconcilerError] = {}
        self.role = self.service = self.shift = ""

    def monotonic(self) -> float:
        return self.time

    def check_key(self) -> None:
        self._answer("key")

    def automation_user(self) -> AutomationUser:
        self._answer("user")
        return AutomationUser(BOT, self.role)

    def check_service(self) -> ServiceStatus:
        self._answer("service")
        return ServiceStatus("POLICY", self.service)

    def on_call(self, user: Person, policy_id: str) -> OnCall:
        self._answer("on call")
        assert (user, policy_id) == (BOT, "POLICY")
        return OnCall(self.shift)

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        self.time += self.took
        if what in self.wrong:
            raise self.wrong[what]


@pytest.fixture
def pagerduty() -> PagerDuty:
    return PagerDuty()


def identity_of(pagerduty: PagerDuty) -> Identity:
    anything = cast("Any", pagerduty)
    return Identity(anything, CONFIGURED, anything, timedelta(seconds=INTERVAL))


def cycle(identity: Identity) -> bool:
    found = identity.confirm()
    identity.refresh()
    return found


def problem_texts(identity: Identity) -> list[str]:
    return [str(problem.error) for problem in identity.state.problems]


def test_the_account_is_read_at_the_start_and_once_per_interval(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    assert identity.person == CONFIGURED
    assert identity.view is None
    assert cycle(identity)
    assert identity.view == AccountView(BOT, ServiceStatus("POLICY"), OnCall())
    assert identity.person == BOT
    assert pagerduty.asked == ["key", "user", "service", "on call"]
    for _ in range(29):
        pagerduty.time += 10
        assert not cycle(identity)
    assert len(pagerduty.asked) == 4
    pagerduty.time += 10
    cycle(identity)
    assert len(pagerduty.asked) == 8
    assert identity.state.may_write
    assert identity.state.may_page
    assert (problem_texts(identity), identity.state.unsure) == ([], None)


@pytest.mark.parametrize(
    ("what", "error", "may_write", "may_page"),
    [
        ("key", PersonsToken("PAGERDUTY_API_KEY: a person's token", pages=True), False, True),
        ("key", PersonsToken("PAGERDUTY_API_KEY: that of somebody on call", pages=False), False, False),
        ("key", Refused("401"), False, False),
        ("user", Misconfigured("PAGERDUTY_EMAIL: unknown"), False, False),
        ("user", Refused("402"), True, True),
        ("service", Misconfigured("PAGERDUTY_SERVICE_ID: unknown"), True, False),
        ("service", Refused("402"), True, True),
        ("key", Unknown("no answer"), True, True),
        ("user", Blocked("407"), True, True),
        ("service", Permanent("400", 400), True, True),
    ],
)
def test_each_answer_allows_or_forbids_writing(
    pagerduty: PagerDuty, what: str, error: ReconcilerError, may_write: bool, may_page: bool
) -> None:
    identity = identity_of(pagerduty)
    pagerduty.wrong[what] = error
    assert not cycle(identity)
    standing = identity.state
    assert (standing.may_write, standing.may_page) == (may_write, may_page)
    certain = type(error) in (Misconfigured, PersonsToken)
    assert problem_texts(identity) == ([str(error)] if certain else [])
    assert (standing.unsure is None) is certain
    pagerduty.wrong.clear()
    pagerduty.time += 1
    assert cycle(identity)
    assert (problem_texts(identity), identity.state.unsure, identity.state.may_write) == ([], None, True)


def test_a_problem_lasts_while_pagerduty_does_not_answer(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    pagerduty.wrong["user"] = Misconfigured("PAGERDUTY_EMAIL: unknown")
    cycle(identity)
    first = identity.state.problems
    pagerduty.wrong["key"] = Unknown("no answer")
    pagerduty.time += 1
    cycle(identity)
    assert identity.state.problems == first
    assert not identity.state.may_write


def test_the_account_is_read_with_growing_back_off_while_a_problem_lasts(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    pagerduty.wrong["key"] = Refused("401")
    times: list[float] = []
    for _ in range(600):
        if cycle(identity) or len(pagerduty.asked) > len(times):
            times.append(pagerduty.time - 1000)
        pagerduty.time += 0.1
    assert [round(time) for time in times] == [0, 1, 3, 7, 15, 25, 35, 45, 55]


def test_a_slow_answer_is_not_requested_again_and_again(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    pagerduty.took, pagerduty.wrong["key"] = 40.0, Unknown("no answer")
    cycle(identity)
    pagerduty.time += 150
    cycle(identity)
    assert pagerduty.asked == ["key"]


def test_the_account_is_read_at_once_when_pagerduty_answers_again(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    pagerduty.took, pagerduty.wrong["key"] = 10.0, Unknown("no answer")
    cycle(identity)
    pagerduty.wrong.clear()
    assert not identity.confirm()
    identity.ask_soon()
    assert identity.confirm()
    assert identity.state.unsure is None


def test_a_refused_write_makes_the_account_be_read_at_most_every_ten_seconds(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    cycle(identity)
    pagerduty.asked.clear()
    identity.suspect()
    assert not cycle(identity)
    pagerduty.time += 10
    assert cycle(identity)
    assert pagerduty.asked == ["key", "user", "service"]
    pagerduty.time += 10
    assert not cycle(identity)


def test_objections_last_until_they_are_resolved_and_forbid_no_writes(pagerduty: PagerDuty) -> None:
    identity = identity_of(pagerduty)
    pagerduty.role, pagerduty.service, pagerduty.shift = "role", "maintenance", "on call"
    cycle(identity)
    first = identity.state
    assert (first.may_write, first.may_page, problem_texts(identity)) == (
        True,
        True,
        ["role", "maintenance", "on call"],
    )
    pagerduty.time += 30
    cycle(identity)
    assert identity.state == first  # the identical errors, so that each is logged once
    pagerduty.role = pagerduty.service = pagerduty.shift = ""
    pagerduty.time += 30
    cycle(identity)
    assert problem_texts(identity) == []


def test_the_state_of_the_account_is_replaced_in_one_step_after_the_last_answer(pagerduty: PagerDuty) -> None:
    """Other threads read the state while PagerDuty is asked; they must not see a problem as solved in between."""
    identity = identity_of(pagerduty)
    pagerduty.wrong["key"] = Unknown("no answer")
    identity.confirm()
    pagerduty.time += 1
    during: list[bool] = []
    answer = pagerduty._answer

    def watched(what: str) -> None:
        during.append(identity.state.unsure is not None)
        answer(what)

    pagerduty._answer = watched  # type: ignore[method-assign]
    pagerduty.wrong.clear()
    assert identity.confirm()
    assert during == [True, True, True]
    assert identity.state.unsure is None
