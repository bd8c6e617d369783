"""Alerts of several services: which incidents of an alert are whose, and which are on a wrong service.

Without POST /control/routes a state has no `routes`, and an alert may have one incident in all.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.sandbox.audit.events import agent_of
from reconciler.sandbox.audit.marks import read_copy
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


def seen_from(alert: Json, own: Sequence[Json], others: Sequence[Json]) -> tuple[Json, list[Json]]:
    """A shared alert and its incidents as the route of `own` sees them, beside incidents of other routes.

    What the engineers of the others did to the alert is an act of somebody else, as a customer's is: their copies
    are left out here, with what was copied on from them, and their acknowledgements are not the product's.
    """
    if not others:
        return alert, list(own)
    foreign = _refs(others) - _refs(own)
    names = _who(others) - _who(own)
    taken = [note for note in alert["notes"] if _ref(note["note"]) in foreign]
    passed_on = {note["note"] for note in taken}
    logs = [
        line | {"log": line["log"].replace("via API", "via web")} if line["owner"] in names else line
        for line in alert["logs"]
    ]
    notes = [note for note in alert["notes"] if note not in taken]
    shown = [
        incident | {"notes": [note for note in incident["notes"] if _text(note["content"]) not in passed_on]}
        for incident in own
    ]
    return alert | {"logs": logs, "notes": notes}, shown


def _refs(incidents: Iterable[Json]) -> set[tuple[str, str]]:
    """What copies of notes and reports of acts of these incidents have in their marks: a name and a reference."""
    notes = {(n["user"]["summary"], f"note {n['id']}") for i in incidents for n in i["notes"]}
    acts = {
        ((line.get("agent") or {}).get("summary", ""), line["created_at"].replace("T", " "))
        for incident in incidents
        for line in incident["log_entries"]
    }
    return notes | acts


def _ref(text: str) -> tuple[str, str] | None:
    copy = read_copy(text)
    return (copy.name, copy.ref) if copy is not None and copy.side == "PagerDuty" else None


def _text(text: str) -> str:
    copy = read_copy(text)
    return text if copy is None else copy.text


def _who(incidents: Iterable[Json]) -> set[str]:
    """The names of those who have acknowledged these incidents, or ended that."""
    kinds = ("acknowledge_log_entry", "unacknowledge_log_entry")
    lines = (line for incident in incidents for line in incident["log_entries"] if line["type"] in kinds)
    return {line["agent"]["summary"] for line in lines if agent_of(line)}
