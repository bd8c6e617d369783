"""How a state is divided into cases."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from reconciler.sandbox.audit.case import Case
from reconciler.sandbox.audit.knowledge import Knowledge
from reconciler.sandbox.audit.products import united
from reconciler.sandbox.audit.routing import on_service, seen_from, services_of
from reconciler.sandbox.wire import Json

OUTAGE = "reconciler outage "
"""The beginning of the key of such an incident."""


def cases(state: Json, knowledge: Knowledge) -> Iterator[Case]:
    """Every alert that a person created, for each of its services; then every incident that belongs to none.

    Incidents that tell engineers of an outage of Opsgenie's are the product's own: they are no case.
    """
    state = united(state, knowledge.followed_last)
    incidents = {incident["id"]: incident for incident in state["pagerduty"]["incidents"]}
    by_key = _grouped(incidents.values(), "incident_key")
    by_alert, by_incident = (_grouped(state["journal"], name) for name in ("alert_id", "incident_id"))
    pages = _grouped(state["pagerduty"]["pages"], "incident_id")
    merges = [act for act in state["journal"] if act["verb"] == "merge"]
    into = {
        incident_id: {act["text"] for act in acts} for incident_id, acts in _grouped(merges, "incident_id").items()
    }
    merged = defaultdict[str, set[str]](set)
    for key, own in by_key.items():
        for target in _targets(own, into):
            merged[target] |= {key, incidents[target]["incident_key"] or key}
    made = {act["alert_id"] for act in state["journal"] if (act["side"], act["verb"]) == ("opsgenie", "create")}
    alerts = {alert["id"]: alert for alert in state["opsgenie"]["alerts"] if alert["id"] in made}
    of_services = [(each, service) for each in alerts.values() for service in services_of(state, each)]
    for raised, service in of_services:
        key = raised["id"]
        all_own = by_key.get(key, [])
        own = on_service(all_own, service)
        targets = _targets(own, into)
        later = [act for target in targets for act in by_incident.get(target, ()) if act["alert_id"] != key]
        others = [incident for incident in all_own if incident not in own]
        elsewhere = {incident["id"] for incident in others}
        here = [act for act in by_alert[key] if act["incident_id"] not in elsewhere]
        alert, seen = seen_from(raised, own, others)
        acts = sorted([*here, *later], key=lambda act: int(act["seq"]))
        paged = [page for incident in own for page in pages.get(incident["id"], ())]
        shared = any(merged[target] - {key} for target in targets)
        followed = tuple(incidents[target] for target in targets)
        yield Case(knowledge, alert, tuple(seen), tuple(acts), tuple(paged), followed, shared, service)
    for number, incident in incidents.items():
        if incident["incident_key"] not in alerts and not str(incident["incident_key"]).startswith(OUTAGE):
            about = sorted(merged[number] & alerts.keys())
            acts = [act for key in about for act in by_alert[key] if act["side"] == "opsgenie"]
            acts += by_incident.get(number, [])
            nobodys = {"id": "", "logs": [line for key in about for line in alerts[key]["logs"]], "notes": []}
            yield Case(knowledge, nobodys, (incident,), tuple(acts), tuple(pages.get(number, ())))


def _grouped(records: Iterable[Json], name: str) -> dict[str, list[Json]]:
    found = defaultdict[str, list[Json]](list)
    for record in records:
        found[record[name] or ""].append(record)
    return found


def _targets(incidents: list[Json], into: dict[str, set[str]]) -> list[str]:
    """What these were merged into, and what that was merged into, and so on."""
    own = {incident["id"] for incident in incidents}
    found, left = list[str](), list(own)
    while left:
        new = sorted(into.get(left.pop(), set()) - own - {*found})
        found += new
        left += new
    return found
