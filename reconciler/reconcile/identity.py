"""The automation user and the service in PagerDuty: who we are there, and whether anybody can be paged.

| what is asked           | when it is wrong                            | what is still written to PagerDuty |
|-------------------------|---------------------------------------------|------------------------------------|
| the key                 | it is refused                               | nothing                            |
| the key                 | a person's token                            | new incidents                      |
| the key                 | the token of somebody who is on call        | nothing                            |
| the automation user     | unknown, or not the one that was given      | nothing                            |
| its role                | it may be unable to write                   | everything is tried                |
| the service             | unknown to the key                          | everything but new incidents       |
| its state               | disabled, or in maintenance                 | everything is tried                |
| who is on call          | the automation user, or nobody              | everything is tried                |

Reading, and writing to alerts, need none of this and continue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from reconciler.core.model import Person, Side
from reconciler.errors import Misconfigured, PersonsToken, ReconcilerError, Refused
from reconciler.reconcile.problems import Problem
from reconciler.vendors.ports import Clock, OnCall, PagerDutyReader, ServiceStatus

BETWEEN_CHECKS = 10.0
"""Seconds between two checks after refused writes; also the longest wait while something is wrong."""
WHILE_OBJECTED = 30.0
"""Seconds between two checks at most while incidents may page nobody."""
FIRST_RETRY = 1.0
CALM = 4
"""The least wait after a check, as a multiple of its duration: pages wait during a check."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """Which writes the set-up allows, and its problems.

    `unsure` is reported only if nothing else of PagerDuty is wrong.
    """

    may_write: bool = True
    may_page: bool = True
    problems: tuple[Problem, ...] = ()
    unsure: Problem | None = None


@dataclass(frozen=True, slots=True)
class AccountView:
    """Who and what PagerDuty has confirmed: the automation user, the service, and who is on call on it."""

    person: Person
    service: ServiceStatus
    duty: OnCall


class Identity:
    """Checks at the start, after an account refusal, and once an interval; sooner while something is wrong.

    For one thread. `state` is the complete result of the last check, `view` that of the last one in which all was
    well; both may be read by any thread.
    """

    def __init__(self, pagerduty: PagerDutyReader, configured: Person, clock: Clock, interval: timedelta) -> None:
        self.person = configured
        self.known = False
        self.state = AccountState()
        self.view: AccountView | None = None
        self._pagerduty = pagerduty
        self._clock = clock
        self._interval = interval.total_seconds()
        self._service = ServiceStatus()
        self._wrong: dict[str, ReconcilerError] = {}
        self._objections: dict[str, Misconfigured] = {}
        self._unsure: ReconcilerError | None = None
        self._suspected = False
        self._wait = FIRST_RETRY
        self._asked = self._next = self._refresh = clock.monotonic()

    def suspect(self) -> None:
        """Check again soon, because a write was refused for the whole account."""
        self._suspected = True

    def ask_soon(self) -> None:
        """Repeat an unanswered check at the next opportunity, because PagerDuty answers other calls."""
        self._next = self._clock.monotonic()

    def confirm(self) -> bool:
        """Check user, key and service if that is due. Returns whether it was done and all is well."""
        if (self.known and not self._suspected) or self._clock.monotonic() < self._next:
            return False
        self._ask()
        return self.known

    def refresh(self) -> None:
        """Check everything once an interval."""
        now = self._clock.monotonic()
        if now < self._refresh:
            return
        if self.known and now - self._asked >= max(FIRST_RETRY, min(self._interval, BETWEEN_CHECKS)):
            self._ask()
        if self.known:
            duty = self._pagerduty.on_call(self.person, self._service.escalation_policy_id)
            self.view = AccountView(self.person, self._service, duty)
            self._note("on call", duty.objection)
            self._refresh = now + (min(self._interval, WHILE_OBJECTED) if self._objections else self._interval)
            self.state = self._as_it_stands()

    def _ask(self) -> None:
        began = self._clock.monotonic()
        self._suspected = False
        self._unsure = None
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("key", self._pagerduty.check_key),
            ("user", self._ask_user),
            ("service", self._ask_service),
        )
        for name, step in steps:
            if self._fails(name, step):
                break
        self.known = not self._wrong and self._unsure is None
        self._asked = self._clock.monotonic()
        self._next = self._asked + max(BETWEEN_CHECKS if self.known else self._wait, CALM * (self._asked - began))
        self._wait = FIRST_RETRY if self.known else min(2 * self._wait, BETWEEN_CHECKS)
        self.state = self._as_it_stands()

    def _as_it_stands(self) -> AccountState:
        wrong = self._wrong
        user, service = wrong.get("user"), wrong.get("service")
        unsure = self._unsure or next((error for error in wrong.values() if isinstance(error, Refused)), None)
        certain = [error for error in wrong.values() if not isinstance(error, Refused)]
        is_ours = user is None or isinstance(user, Refused)
        key = wrong.get("key")
        return AccountState(
            may_write=key is None and is_ours,
            may_page=(key is None or (isinstance(key, PersonsToken) and key.pages))
            and is_ours
            and (service is None or isinstance(service, Refused)),
            problems=tuple(Problem(Side.PAGERDUTY, error) for error in (*certain, *self._objections.values())),
            unsure=None if unsure is None else Problem(Side.PAGERDUTY, unsure),
        )

    def _fails(self, name: str, step: Callable[[], None]) -> bool:
        """Whether further checks are pointless. A check without an answer leaves the last known result."""
        try:
            step()
        except Misconfigured as error:
            known = self._wrong.get(name)
            if known is None or str(known) != str(error):
                self._wrong[name] = error
            return isinstance(error, Refused)
        except ReconcilerError as error:
            self._unsure = error
            return True
        self._wrong.pop(name, None)
        return False

    def _ask_user(self) -> None:
        user = self._pagerduty.automation_user()
        self.person = user.person
        self._note("user", user.objection)

    def _ask_service(self) -> None:
        self._service = self._pagerduty.check_service()
        self._note("service", self._service.objection)

    def _note(self, name: str, objection: str) -> None:
        known = self._objections.get(name)
        if not objection:
            self._objections.pop(name, None)
        elif known is None or str(known) != objection:
            self._objections[name] = Misconfigured(objection)
