"""The configured policies of the mapping, and all that a decision depends on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.model import SOMEBODY, Observation, Person
from reconciler.core.product import OPSGENIE, Product
from reconciler.core.title import MESSAGE

NOBODY = Person("", "")
"""The automation user before anything is known of it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The configured policies of the mapping, and the automation user.

    `product` is the one that raises the alerts. `acts_are_named`: what is written to an alert bears the engineer's
    name; if not, all of it bears that of `alert_user`. `tells_who`: the alert itself names who acknowledged or
    closed it; if not, its log does. `guards` are the echo guards at work. For notes any one suffices,
    for states outbox or author: tests switch off two at a time to prove it. `service` is the PagerDuty service.
    `sweep_interval` is how often the sweep reads an open pair, and `retention` for how long a finished one is
    remembered. `priorities` are pairs of an alert's priority and the name of PagerDuty's; `title` is the template
    of an incident's title, and `details` are the names of the alert's details that its body has, None for all.
    """

    product: Product = OPSGENIE
    on_alert_unacknowledge: str = "retrigger"
    on_alert_close: str = "note"
    on_alert_priority: str = "urgency"
    high_urgency: frozenset[str] = frozenset({"P1", "P2"})
    priorities: tuple[tuple[str, str], ...] = ()
    title: str = MESSAGE
    details: frozenset[str] | None = None
    on_pagerduty_ack_timeout: str = "mirror"
    service: str = ""
    on_late_alert: str = "page"
    late: timedelta = timedelta(seconds=3600)
    staleness: timedelta = timedelta(seconds=120)
    automation: Person = NOBODY
    acts_are_named: bool = True
    tells_who: bool = True
    alert_user: Person = NOBODY
    guards: frozenset[str] = frozenset({"outbox", "author", "mark"})
    sweep_interval: timedelta = timedelta(seconds=300)
    retention: timedelta = timedelta(days=30)

    def priority_of(self, alert_priority: str) -> str:
        """The name of PagerDuty's priority for an alert's; empty: none."""
        return dict(self.priorities).get(alert_priority, "")

    def is_automation(self, person: Person) -> bool:
        """Whether this is the automation user: by id; by name only if one of the two has no id.

        Until PagerDuty has confirmed the automation user, the configured value stands for both: it may be an id or
        a name.
        """
        us = self.automation
        if person == SOMEBODY:
            return False
        if person.id and us.id and (person.id == us.id or us.id != us.name):
            return person.id == us.id
        return bool(person.name) and person.name == us.name

    def is_alert_user(self, person: Person) -> bool:
        """Whether this is our own account on the alert side: by id; by name if one of the two has no id.

        An id that is the name is none: some answers give no other.
        """
        us, person_id = self.alert_user, person.id if person.id != person.name else ""
        if us.id and person_id:
            return person_id == us.id
        return bool(us.name) and person.name == us.name

    def is_echo_of_us(self, person: Person) -> bool:
        """The author guard for PagerDuty, unless it is switched off."""
        return "author" in self.guards and self.is_automation(person)

    def is_echo_on_alert(self, person: Person) -> bool:
        """The author guard for our own account on the alert side, unless it is switched off."""
        return "author" in self.guards and self.is_alert_user(person)


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """All inputs of a plan."""

    now: datetime
    policy: Policy
    observations: tuple[Observation, ...]
