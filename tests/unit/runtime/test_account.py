"""The account: lanes that the configuration of a vendor forbids are barred, and no others."""

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.policy import NOBODY
from reconciler.errors import Misconfigured, ReconcilerError, Refused, Transient
from reconciler.reconcile.absence import Fewer
from reconciler.reconcile.identity import AccountState
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.work_queue import Passage
from reconciler.reconcile.write_breakers import HOLDS, PAGERDUTY_LANES, Lane, WriteBreakers
from reconciler.runtime.account import Account, barred
from tests.support.builders import BOT, JANE, action, policy
from tests.support.clock import SimClock

WRONG = Problem(Side.PAGERDUTY, Misconfigured("PAGERDUTY_USER: unknown"))
UNSURE = Problem(Side.PAGERDUTY, Transient("GET /users: 503"))


class Identity:
    """PagerDuty's answers about the account."""

    def __init__(self) -> None:
        self.person = JANE
        self.state = AccountState()
        self.confirms = True
        self.asked: list[str] = []

    def confirm(self) -> bool:
        return self.confirms

    def refresh(self) -> None:
        self.asked.append("refresh")

    def ask_soon(self) -> None:
        self.asked.append("soon")

    def suspect(self) -> None:
        self.asked.append("suspect")


class Stage:
    def __init__(self, *, writes: bool = True) -> None:
        self.identity = Identity()
        self.blind: ReconcilerError | None = None
        self.absence: Any = None
        self.breakers = WriteBreakers(SimClock()) if writes else None
        self.problems = Problems()
        identity: Any = self.identity
        fetcher: Any = self
        self.account = Account(identity, policy(), self.breakers, fetcher, self.problems)

    def free(self) -> set[Lane]:
        """Lanes in which writes are allowed."""
        assert self.breakers is not None
        return {lane for lane in Lane if self.breakers.passage(HOLDS[lane]) is Passage.ALL}

    def blindness(self) -> ReconcilerError | None:
        return self.blind


@pytest.mark.parametrize(
    ("standing", "is_blind", "lanes"),
    [
        (AccountState(), False, set()),
        (AccountState(may_page=False), False, {Lane.PAGES}),
        (AccountState(may_write=False), False, PAGERDUTY_LANES - {Lane.PAGES}),
        (AccountState(may_write=False, may_page=False), False, PAGERDUTY_LANES),
        (AccountState(), True, {Lane.ALERTS}),
        (AccountState(may_write=False, may_page=False), True, set(Lane)),
    ],
)
def test_only_lanes_forbidden_by_the_account_are_barred(
    standing: AccountState, lanes: set[Lane], *, is_blind: bool
) -> None:
    assert barred(standing, is_blind=is_blind) == lanes


def test_the_policy_names_the_automation_user_as_pagerduty_does() -> None:
    stage = Stage()
    assert stage.account.policy().automation == JANE
    stage.identity.person = BOT
    assert stage.account.policy().automation == BOT


def test_the_policy_names_the_user_of_the_alert_product_as_it_is_known_by_then() -> None:
    stage = Stage()
    assert stage.account.policy().alert_user == NOBODY
    users = iter((BOT, JANE))
    stage.account._alert_user = lambda: next(users)
    assert [stage.account.policy().alert_user for _ in range(2)] == [BOT, JANE]


def test_an_account_problem_is_reported_and_bars_its_lanes_until_it_is_fixed() -> None:
    stage = Stage()
    stage.identity.state = AccountState(may_write=False, may_page=False, problems=(WRONG,), unsure=UNSURE)
    stage.blind = Misconfigured("OPSGENIE_API_KEY: sees nothing")
    stage.identity.confirms = False
    assert not stage.account.poll()
    assert stage.problems.all() == (WRONG, Problem(Side.ALERTS, stage.blind))
    assert stage.account.unsure == UNSURE
    assert stage.free() == set()
    stage.identity.state, stage.blind, stage.identity.confirms = AccountState(), None, True
    assert stage.account.poll()
    assert stage.problems.all() == ()
    assert stage.account.unsure is None
    assert stage.free() == set(Lane)


def test_alerts_that_are_no_longer_seen_bar_their_own_writes_and_not_the_lane() -> None:
    stage = Stage()
    assert stage.breakers is not None
    stage.blind = Fewer("OPSGENIE_API_KEY sees fewer alerts", frozenset({"a-1"}))
    stage.account.poll()
    assert stage.problems.all() == (Problem(Side.ALERTS, stage.blind),)
    assert stage.free() == set(Lane)
    assert stage.breakers.waits_for(action(Kind.ALERT_NOTE, alert_id="a-1")) is not None
    stage.blind = Fewer("OPSGENIE_API_KEY sees none of them", frozenset())
    stage.account.poll()
    assert stage.free() == set(Lane) - {Lane.ALERTS}


def test_what_has_vanished_is_stored_and_looked_at_anew_when_this_process_begins_to_lead() -> None:
    stage = Stage()
    stage.absence = SimpleNamespace(begin=lambda: calls.append("begin"), keep=lambda: calls.append("keep"))
    calls: list[str] = []
    stage.account.began()
    stage.account.keep()
    assert calls == ["begin", "keep"]


def test_what_had_vanished_is_held_back_before_anything_is_written() -> None:
    stage = Stage()
    stage.blind = Fewer("OPSGENIE_API_KEY sees none of them", frozenset())
    stage.absence = SimpleNamespace(begin=lambda: None)
    stage.account.began()
    assert stage.free() == set(Lane) - {Lane.ALERTS}


def test_a_confirmed_account_half_opens_the_breakers_opened_by_its_refusal() -> None:
    stage = Stage()
    assert stage.breakers is not None
    stage.breakers.not_executed(Kind.PAGERDUTY_NOTE, Refused("401"))
    stage.breakers.not_executed(Kind.ALERT_NOTE, Refused("401"))
    stage.account.poll()
    assert stage.free() == {Lane.PAGERDUTY, Lane.PAGES}


def test_unanswered_questions_are_asked_again_as_soon_as_pagerduty_answers() -> None:
    stage = Stage()
    stage.account.answered()
    assert stage.identity.asked == []
    stage.identity.state = AccountState(unsure=UNSURE)
    stage.account.bar()
    stage.account.answered()
    stage.account.suspect()
    assert stage.identity.asked == ["soon", "suspect"]


def test_a_dry_run_reports_the_same_and_bars_nothing() -> None:
    stage = Stage(writes=False)
    stage.identity.state = AccountState(may_write=False, problems=(WRONG,))
    assert stage.account.poll()
    assert stage.problems.all() == (WRONG,)


def test_a_replaced_key_is_checked_at_once() -> None:
    stage = Stage()
    stage.account.renewed()
    assert stage.identity.asked == ["suspect", "soon"]
