"""One call for each kind of action: from the action as it stands in the ledger to the vendor's write."""

from dataclasses import dataclass

from reconciler.core import text
from reconciler.core.model import Action, Incident, Kind, Person
from reconciler.vendors.ports import OpsgenieReader, OpsgenieWriter, PagerDutyReader, PagerDutyWriter


@dataclass(frozen=True, slots=True)
class Remotes:
    """Both sides, for reading and for writing."""

    opsgenie: OpsgenieReader
    pagerduty: PagerDutyReader
    to_opsgenie: OpsgenieWriter
    to_pagerduty: PagerDutyWriter


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call gave back: a request id means accepted, not done; a result id names what came into being."""

    request_id: str = ""
    result_id: str = ""
    incident: Incident | None = None
    accepted: bool = False


def write(  # noqa: PLR0911 - one a kind
    remotes: Remotes, action: Action, incident: Incident | None, automation: Person
) -> Effect:
    """Make the call. `incident` is the target as it was just looked at. Raises what the remotes raise."""
    opsgenie, pagerduty = remotes.to_opsgenie, remotes.to_pagerduty
    incident_id = action.incident_id or ""
    note = text.plain_note(action.text) if action.plain else action.text
    match action.kind:
        case Kind.CREATE_INCIDENT:
            title = text.plain_title(action.text) if action.plain else action.text
            body = "" if action.plain else action.body
            urgency = "" if action.plain else action.urgency  # without one, it is the service's default
            created = pagerduty.create_incident(action.alert_id, title, body, urgency)
            return Effect(result_id=created.id, incident=created)
        case Kind.PAGERDUTY_NOTE:
            return Effect(result_id=pagerduty.add_note(incident_id, note).id)
        case Kind.PAGERDUTY_ACKNOWLEDGE:
            return Effect(incident=pagerduty.acknowledge(incident_id))
        case Kind.PAGERDUTY_UNACKNOWLEDGE:
            seen = incident or remotes.pagerduty.incident(incident_id)
            return Effect(incident=pagerduty.retrigger(seen, automation))
        case Kind.PAGERDUTY_RESOLVE:
            return Effect(incident=pagerduty.resolve(incident_id))
        case Kind.PAGERDUTY_SET_URGENCY:
            return Effect(incident=pagerduty.set_urgency(incident_id, action.urgency))
        case Kind.OPSGENIE_ACKNOWLEDGE:
            name = text.cut_name(action.person)
            return Effect(opsgenie.acknowledge(action.alert_id, name), accepted=True)
        case Kind.OPSGENIE_UNACKNOWLEDGE:
            name = text.cut_name(action.person)
            return Effect(opsgenie.unacknowledge(action.alert_id, name), accepted=True)
        case Kind.OPSGENIE_NOTE:
            name = text.signature(action.person)
            return Effect(opsgenie.add_note(action.alert_id, name, note), accepted=True)
