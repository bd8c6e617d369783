"""Who the automation user is and what the account allows: asked at the start, after a refusal, and regularly."""

from dataclasses import replace

from reconciler.core.model import Policy, Side
from reconciler.reconcile.fetch import Fetcher
from reconciler.reconcile.identity import AccountState, Identity
from reconciler.reconcile.problems import Problem, Problems
from reconciler.reconcile.write_breakers import PAGERDUTY_LANES, Lane, WriteBreakers

PLACE = "account"


class Account:
    """Asks PagerDuty, and bars what may not be written. `policy` is what is configured."""

    name = PLACE
    side: Side | None = None

    def __init__(
        self,
        identity: Identity,
        policy: Policy,
        breakers: WriteBreakers | None,
        fetcher: Fetcher,
        problems: Problems,
    ) -> None:
        self._identity = identity
        self._configured = policy
        self._breakers = breakers
        self._fetcher = fetcher
        self._problems = problems
        self.unsure: Problem | None = None
        """What PagerDuty has not answered: reported where nothing else of PagerDuty is wrong."""

    def policy(self) -> Policy:
        """The policy, with who the automation user is by now."""
        return replace(self._configured, automation=self._identity.person)

    def poll(self) -> bool:
        """Ask what is due to be asked, and act upon it. PagerDuty's answers are reported with the set-up."""
        confirmed = self._identity.confirm()
        if confirmed and self._breakers is not None:
            self._breakers.confirmed()
        self._identity.refresh()
        self.bar()
        return confirmed

    def bar(self) -> None:
        """Bar the lanes that must not be written in as things stand, and report why."""
        state, blind = self._identity.state, self._fetcher.blindness()
        if self._breakers is not None:
            self._breakers.bar(barred(state, is_blind=blind is not None))
        self.unsure = state.unsure
        blindness = () if blind is None else (Problem(Side.OPSGENIE, blind),)
        self._problems.put(PLACE, (*state.problems, *blindness))

    def answered(self) -> None:
        """PagerDuty answers other calls: what it has not answered here is asked anew."""
        if self.unsure is not None:
            self._identity.ask_soon()

    def suspect(self) -> None:
        """A write was refused as the account's: ask again soon."""
        self._identity.suspect()


def barred(state: AccountState, *, is_blind: bool) -> frozenset[Lane]:
    """The lanes that nothing is written in now. `is_blind`: Opsgenie shows none of the alerts it showed before."""
    lanes = frozenset({Lane.OPSGENIE}) if is_blind else frozenset()
    if not state.may_write:
        return lanes | PAGERDUTY_LANES
    return lanes if state.may_page else lanes | {Lane.PAGES}
