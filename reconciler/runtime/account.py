"""Checks of the automation user and the account: at the start, after a refusal, and regularly."""

from collections.abc import Callable
from dataclasses import replace

from reconciler.core.model import Person, Side
from reconciler.core.policy import NOBODY, Policy
from reconciler.reconcile.absence import Fewer
from reconciler.reconcile.fetch import Fetcher
from reconciler.reconcile.identity import AccountState, AccountView, Identity
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.write_breakers import PAGERDUTY_LANES, Lane, WriteBreakers

ACCOUNT_PLACE = "account"


class Account:
    """Checks PagerDuty's set-up, and bars writes that it does not allow. `policy` is the configured one."""

    name = ACCOUNT_PLACE
    side: Side | None = None

    def __init__(
        self,
        identity: Identity,
        policy: Policy,
        breakers: WriteBreakers | None,
        fetcher: Fetcher,
        problems: Problems,
        alert_user: Callable[[], Person] = lambda: NOBODY,
    ) -> None:
        self._identity = identity
        self._configured = policy
        self._breakers = breakers
        self._fetcher = fetcher
        self._problems = problems
        self._alert_user = alert_user
        self.unsure: Problem | None = None
        """The last check that PagerDuty did not answer: reported if nothing else of PagerDuty is wrong."""

    def policy(self) -> Policy:
        """The policy, with the automation user and the alert product's own user as far as they are known."""
        return replace(self._configured, automation=self._identity.person, alert_user=self._alert_user())

    def view(self) -> AccountView | None:
        """Who and what PagerDuty has confirmed; None until then."""
        return self._identity.view

    def poll(self) -> bool:
        """Make the checks that are due, and bar lanes accordingly. PagerDuty's answers are reported separately."""
        confirmed = self._identity.confirm()
        if confirmed and self._breakers is not None:
            self._breakers.confirmed()
        self._identity.refresh()
        self.bar()
        return confirmed

    def bar(self) -> None:
        """Bar the lanes that must not be written in at present, and report why."""
        state, blind = self._identity.state, self._fetcher.blindness()
        unseen: frozenset[str] = blind.alerts if isinstance(blind, Fewer) else frozenset()
        if self._breakers is not None:
            self._breakers.bar(barred(state, is_blind=blind is not None and not unseen), unseen)
        self.unsure = state.unsure
        blindness = () if blind is None else (Problem(Side.ALERTS, blind),)
        self._problems.put(ACCOUNT_PLACE, (*state.problems, *blindness))

    def began(self) -> None:
        """Forget which alerts were missing, because this process begins to lead, or with another key.

        What is meant for alerts that had vanished when this process, or another one, last led is held back.
        """
        self._fetcher.absence.begin()
        self.bar()

    def keep(self) -> None:
        """Store which alerts have vanished from the key's sight. Never called in a dry run."""
        self._fetcher.absence.keep()

    def answered(self) -> None:
        """Repeat unanswered checks, because PagerDuty answers other calls."""
        if self.unsure is not None:
            self._identity.ask_soon()

    def renewed(self) -> None:
        """Check at once, because the key was replaced."""
        self._identity.suspect()
        self._identity.ask_soon()

    def suspect(self) -> None:
        """Check again soon, because a write was refused for the whole account."""
        self._identity.suspect()


def barred(state: AccountState, *, is_blind: bool) -> frozenset[Lane]:
    """The lanes in which nothing is written now. `is_blind`: known alerts are no longer shown."""
    lanes = frozenset({Lane.ALERTS}) if is_blind else frozenset()
    if not state.may_write:
        lanes |= PAGERDUTY_LANES - {Lane.PAGES}
    return lanes if state.may_page else lanes | {Lane.PAGES}
