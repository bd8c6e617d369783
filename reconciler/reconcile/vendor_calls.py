"""The vendor call for each kind of action in the outbox."""

from dataclasses import dataclass, replace

from reconciler.core import text
from reconciler.core.model import Action, Incident, Kind, Person
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import ReconcilerError
from reconciler.vendors.call_context import noting
from reconciler.vendors.ports import AlertReader, AlertWrite, AlertWriter, PagerDutyReader, PagerDutyWriter


@dataclass(frozen=True, slots=True)
class Vendors:
    """Clients for reading from and writing to both vendors."""

    alerts: AlertReader
    pagerduty: PagerDutyReader
    to_alerts: AlertWriter
    to_pagerduty: PagerDutyWriter


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a call.

    `request_id` is the vendor's id of the request. `accepted`: the vendor has queued the write under that id, and
    may carry it out later. `result_id` is the id of the created object; `incident` is the incident after the call.
    """

    request_id: str = ""
    result_id: str = ""
    incident: Incident | None = None
    accepted: bool = False


def perform(
    vendors: Vendors,
    action: Action,
    incident: Incident | None,
    automation: Person,
    product: Product = OPSGENIE,
    priority_id: str = "",
) -> CallResult:
    """Make the call. Raises what the clients raise.

    `incident` is its target as it was read just before. `priority_id`: PagerDuty's priority for it; empty: none.
    """
    with noting() as answered:
        try:
            result = _perform(vendors, action, incident, automation, product, priority_id)
        except ReconcilerError as error:
            error.request_id = error.request_id or answered.request_id  # a client may have raised its own
            raise
    return result if result.accepted else replace(result, request_id=answered.request_id)


def _perform(  # noqa: PLR0911 - one return a kind
    vendors: Vendors,
    action: Action,
    incident: Incident | None,
    automation: Person,
    product: Product,
    priority_id: str,
) -> CallResult:
    alerts, pagerduty = vendors.to_alerts, vendors.to_pagerduty
    incident_id = action.incident_id or ""
    note = text.plain_note(action.text) if action.plain else action.text
    priority = (priority_id,) if priority_id else ()
    match action.kind:
        case Kind.CREATE_INCIDENT:
            title = text.plain_title(action.text, product) if action.plain else action.text
            body = "" if action.plain else action.body
            urgency = "" if action.plain else action.urgency  # without one, it is the service's default
            created = pagerduty.create_incident(action.alert_id, title, body, urgency, *priority)
            return CallResult(result_id=created.id, incident=created)
        case Kind.PAGERDUTY_NOTE:
            return CallResult(result_id=pagerduty.add_note(incident_id, note).id)
        case Kind.PAGERDUTY_ACKNOWLEDGE:
            return CallResult(incident=pagerduty.acknowledge(incident_id))
        case Kind.PAGERDUTY_UNACKNOWLEDGE:
            seen = incident or vendors.pagerduty.incident(incident_id)
            return CallResult(incident=pagerduty.retrigger(seen, automation))
        case Kind.PAGERDUTY_RESOLVE:
            return CallResult(incident=pagerduty.resolve(incident_id))
        case Kind.PAGERDUTY_SET_URGENCY:
            return CallResult(incident=pagerduty.set_urgency(incident_id, action.urgency, *priority))
        case Kind.ALERT_ACKNOWLEDGE:
            return _accepted(alerts.acknowledge(action.alert_id, text.cut_name(action.person)))
        case Kind.ALERT_UNACKNOWLEDGE:
            return _accepted(alerts.unacknowledge(action.alert_id, text.cut_name(action.person)))
        case Kind.ALERT_NOTE:
            return _accepted(alerts.add_note(action.alert_id, text.signature(action.person), note))


def _accepted(write: AlertWrite) -> CallResult:
    """The result of a write that waits in the product's queue, or of a note that was added at once."""
    if write.note_id:
        return CallResult(result_id=write.note_id)
    return CallResult(write.request_id, accepted=True)
