"""Details of an alert whose incident was created without them: added once, as a note.

An incident lacks them for one of two reasons: the alert could not be read in time, so that the page was made from
its list row; or PagerDuty refused them, so that the page was made in the plain form, which has none. Both may
apply to one incident.
"""

from collections.abc import Iterator

from reconciler.core import text
from reconciler.core.model import Action, Actor, Change, Kind, Note, Observation, Person, Side, Status
from reconciler.core.policy import Policy

UNREAD = Person("", "alert details")
REFUSED = Person("", "details that PagerDuty refused")
_CREATES = (Status.PLANNED, Status.SENT, Status.DONE)


def changes(observation: Observation, policy: Policy) -> Iterator[Change]:
    """The changes that add the missing details to this pair's incident, as far as they are known and shown."""
    if observation.pair is None:
        return
    creations = [action for action in observation.mine if action.kind is Kind.CREATE_INCIDENT]
    yield from _unread(observation, creations, policy)
    yield from (_refused(action) for action in creations if lacks_refused(action))


def lacks_refused(action: Action) -> bool:
    """Whether this action created an incident without the details that it was planned with."""
    is_created = action.kind is Kind.CREATE_INCIDENT and action.status is Status.DONE
    return is_created and action.plain and bool(action.body)


def _unread(observation: Observation, creations: list[Action], policy: Policy) -> Iterator[Change]:
    alert = observation.alert
    words = text.details(alert, policy.details) if alert is not None else ""
    if alert is None or not words:
        return
    if any(action.status in _CREATES and text.has_no_details(action.body) for action in creations):
        note = Note("details", UNREAD, words, alert.created_at)
        yield Change(Side.ALERTS, "details", alert.id, "", alert.created_at, Actor.MACHINE, UNREAD, note)


def _refused(creation: Action) -> Change:
    words = creation.body
    if text.plain_title(creation.text) != creation.text:
        words = f"Title: {creation.text}\n{words}"
    note = Note("refused details", REFUSED, words, creation.at)
    return Change(Side.ALERTS, "refused details", creation.alert_id, "", creation.at, Actor.MACHINE, REFUSED, note)
