"""Alerts of several services: which incidents of an alert are whose, and which are on a wrong service.

Without POST /control/routes a state has no `routes`, and an alert may have one incident in all.
"""

from collections.abc import Iterator, Sequence

from reconciler.sandbox.wire import Json

ANY = ""
"""Stands for every service, where nothing is known of routes."""


def services_of(state: Json, alert: Json) -> Sequence[str]:
    """The services on which the alert is to have an incident each; ANY: one incident, wherever it is."""
    routes = state.get("routes")
    return [ANY] if routes is None else routes.get(alert["id"], [ANY])


def on_service(incidents: Sequence[Json], service: str) -> list[Json]:
    """Those of an alert's incidents that belong to a service."""
    return [incident for incident in incidents if service in (ANY, incident["service"]["id"])]


def misrouted(state: Json) -> Iterator[tuple[str, str]]:
    """Of each alert that has an incident on a service that it is not for, its tiny id and what is wrong."""
    for alert in state["opsgenie"]["alerts"]:
        wanted = services_of(state, alert)
        for incident in state["pagerduty"]["incidents"]:
            found = incident["service"]["id"]
            if incident["incident_key"] == alert["id"] and ANY not in wanted and found not in wanted:
                number, right = incident["incident_number"], " and ".join(wanted) or "no service"
                yield alert["tinyId"], f"incident #{number} is on {found}, and the alert is for {right}"
