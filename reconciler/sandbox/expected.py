"""Which alerts are to have an incident on which services: what a routes file says, as the audit compares it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.sandbox.opsgenie import query
from reconciler.sandbox.opsgenie.state import Alert
from reconciler.sandbox.pagerduty.directory import SERVICES

SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Expected:
    """By the ids of services, in the order of the file, the query that selects the alerts of each.

    An alert that several of them select goes to all that are among `shared`, if the first one is; else to the
    first one alone.
    """

    queries: Mapping[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()

    def services_of(self, alerts: Iterable[Alert]) -> dict[str, list[str]]:
        """By the ids of the alerts, the services on which each is to have an incident; maybe none."""
        matches = {service: query.parse(text) for service, text in self.queries.items()}
        taken = {alert.id: [name for name, match in matches.items() if match(alert)] for alert in alerts}
        return {alert_id: self._takers(services) for alert_id, services in taken.items()}

    def _takers(self, services: list[str]) -> list[str]:
        first = services[:1]
        return [name for name in services if name in self.shared] if {*first} & self.shared else first


def from_json(values: Mapping[str, Any]) -> Expected:
    """From `{"PSVC001": query, …, "shared": [service, …]}`. ValueError or TypeError, one line, for bad input."""
    queries = {service: text for service, text in values.items() if service != SHARED}
    shared = values.get(SHARED, [])
    for service, text in queries.items():
        if service not in SERVICES:
            raise ValueError(f"no such service: {service}")
        if not isinstance(text, str):
            raise TypeError(f"the query of {service} must be a text")
        query.parse(text)
    if not isinstance(shared, list) or not all(service in queries for service in shared):
        raise ValueError("shared must be a list of services that have a query")
    return Expected(queries, frozenset(shared))
