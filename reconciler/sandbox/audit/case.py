"""One alert, its incidents and what people did about them: what the rules of the audit look at."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from reconciler.sandbox.audit.events import Did, Event, agent_of, alert_events, incident_events
from reconciler.sandbox.audit.knowledge import Knowledge
from reconciler.sandbox.audit.marks import FOLLOWED, Copy, forms_of, is_name, is_person, is_same, read_copy, whole
from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.wire import Json, parse_time

_BEFORE = timedelta(seconds=60)
"""An alert that was created this long before it was put in existed before the product's first start."""


@dataclass(frozen=True)
class Case:
    """An alert that a person created. `acts` are people's, oldest first; `pages` those of its own incidents.

    `targets` are incidents that its own were merged into; `shared` tells that another alert's were merged there.
    `service` is the one whose incidents these are, where an alert may have some on several.
    An incident that belongs to no such alert is a case of its own, with an alert that has no id.
    """

    knowledge: Knowledge
    alert: Json
    incidents: tuple[Json, ...]
    acts: tuple[Json, ...]
    pages: tuple[Json, ...]
    targets: tuple[Json, ...] = ()
    shared: bool = False
    service: str = ""

    @property
    def is_deleted(self) -> bool:
        """Whether the alert was deleted: nothing can be written to it any more."""
        return bool(self.alert.get("deleted"))

    @cached_property
    def by_hand(self) -> set[str]:
        """Ids of its incidents that people made."""
        return {act["incident_id"] for act in self.acts_of("pagerduty", "create")}

    @cached_property
    def births(self) -> int:
        """How many incidents were created acknowledged by the automation user, so that they paged nobody."""
        return sum(_is_born_acknowledged(incident) for incident in self.incidents)

    def acts_of(self, side: str, *verbs: str) -> list[Json]:
        """People's acts on one side."""
        return [act for act in self.acts if act["side"] == side and act["verb"] in verbs]

    @cached_property
    def notes(self) -> dict[str, list[str]]:
        """By side, the notes that the automation user wrote; in Opsgenie, those that no person wrote."""
        by_hand = {act["ref"] for act in self.acts_of("opsgenie", "note")}
        incidents = (*self.incidents, *self.targets)
        return {
            "Opsgenie": [note["note"] for note in self.alert["notes"] if note["offset"] not in by_hand],
            "PagerDuty": [n["content"] for i in incidents for n in i["notes"] if n["user"]["id"] == BOT.id],
        }

    @cached_property
    def copies(self) -> dict[str, list[Copy]]:
        """By side, those of `notes` that are copies from the other side; numbered parts count as one copy."""
        read = {side: [c for text in texts if (c := read_copy(text))] for side, texts in self.notes.items()}
        return {side: whole(copy for copy in found if copy.side != side) for side, found in read.items()}

    @cached_property
    def told(self) -> dict[str, list[Copy]]:
        """By side, the copies that report an act, as opposed to copies of a person's note."""
        wrote = [(act["who"], act["text"]) for act in self.acts_of("opsgenie", "note")]
        engineers = [copy for copy in self.copies["Opsgenie"] if not copy.ref.startswith("note ")]
        customers = [c for c in self.copies["PagerDuty"] if not any(self.is_copy(c, *note) for note in wrote)]
        return {"Opsgenie": engineers, "PagerDuty": customers}

    def is_copy(self, copy: Copy, who: str, text: str) -> bool:
        """Whether `copy` is a copy of the note `text` by `who`: exactly if the looks are known, else leniently."""
        if self.knowledge.is_watched:
            return copy.name in forms_of(who) and copy.text == text
        return is_person(copy.name, who) and is_same(copy.text, text)

    @cached_property
    def history(self) -> list[Event]:
        """All changes of the alert's and the incidents' states, in order."""
        silent = self.acts_of("pagerduty", "retrigger")
        found = [self._as_seen(event) for event in alert_events(self.alert)]
        for incident in (*self.incidents, *self.targets):
            found += incident_events(incident, [act for act in silent if act["incident_id"] == incident["id"]])
        return sorted(found, key=lambda event: event.at)

    @cached_property
    def events(self) -> list[Event]:
        """The changes in `history` that the product did not make."""
        return [event for event in self.history if not event.by_us]

    @cached_property
    def crossing(self) -> list[Event]:
        """The product's own changes of the incidents.

        Without a look in between, the product cannot distinguish an engineer's act from one of these. On the alert
        it can: Opsgenie names who acknowledged it and who ended that.
        """
        return [event for event in self.history if event.by_us and event.incident]

    def count(self, *dids: Did) -> int:
        """How often something like this happened."""
        return sum(event.what in dids for event in self.events)

    def own(self, did: Did, who: str | None = None) -> list[Event]:
        """The product's own changes of this kind to the alert and its incidents; with `who` only in that name."""
        ids = {"", *(incident["id"] for incident in self.incidents)}
        done = [event for event in self.history if event.by_us and event.what is did and event.incident in ids]
        return [event for event in done if who is None or is_name(event.who, who)]

    def is_alone(self, event: Event, among: Iterable[Event]) -> bool:
        """Whether there was a look between this event and each of `among`, and no database was lost around it."""
        is_apart = self.knowledge.is_apart
        alone = all(other is event or is_apart(event.at, other.at) for other in among)
        is_seen = self.is_visible(event.product, event.elsewhere, event.at)
        return alone and is_seen and self.knowledge.is_remembered(event.at)

    def is_acknowledged(self, at: datetime) -> bool:
        """Whether the alert was acknowledged just before this time."""
        states = (Did.ALERT_ACKNOWLEDGED, Did.ALERT_UNACKNOWLEDGED)
        seen = (e for e in self.history if self.is_visible(e.product, e.elsewhere, e.at))
        earlier = [event.what for event in seen if event.at < at and event.what in states]
        return earlier[-1:] == [Did.ALERT_ACKNOWLEDGED]

    @cached_property
    def left(self) -> dict[str, datetime]:
        """Ids of incidents that were merged into another one, with the time since when the other one is followed.

        If looks are unknown, the product's notes show whether the other one is followed.
        """
        found: dict[str, datetime] = {}
        is_said = any(FOLLOWED in text for text in self.notes["Opsgenie"])
        for merge in self.acts_of("pagerduty", "merge"):
            at, looked = parse_time(merge["at"]), self.knowledge.first_looks.get(merge["text"])
            if looked is not None:
                found.setdefault(merge["incident_id"], max(looked, at))
            elif is_said and not self.knowledge.is_watched:
                found.setdefault(merge["incident_id"], at - timedelta(seconds=1))  # the log has whole seconds
        return found

    def is_followed(self, incident_id: str, at: datetime) -> bool:
        """Whether the incident was followed at this time."""
        return incident_id not in self.left or at <= self.left[incident_id]

    def is_optional(self, incident_id: str, at: datetime) -> bool:
        """Whether an act need not be mirrored: the alert is deleted, or another incident is followed."""
        twins = self.by_hand if len(self.incidents) > 1 else set[str]()
        others = {incident["id"] for incident in self.targets} | twins
        is_away = self.is_deleted or self.is_missing(at)
        return is_away or incident_id in others or not self.is_followed(incident_id, at)

    def is_visible(self, product: str, elsewhere: datetime | None, at: datetime) -> bool:
        """Whether what was done in a product was shown by the one that was followed, `elsewhere` if not there."""
        if not product or elsewhere is not None:
            return True
        return product == self.knowledge.followed(at) and self.knowledge.is_seen_before_a_move(at)

    def is_shown(self, act: Json) -> bool:
        """The same of a person's act on the alert: its creation or a note."""
        product, at = act.get("product", ""), parse_time(act["at"])
        if act["verb"] == "create":
            return self.is_visible(product, at if len(self.alert.get("views", ())) > 1 else None, at)
        return self.is_visible(product, self._appeared(act), at)

    def known_at(self, act: Json) -> datetime:
        """When the product that was followed showed a note.

        PagerDuty's time has whole seconds, so that its notes of one second have no order.
        """
        at = parse_time(act["at"])
        if act["side"] == "pagerduty":
            return at.replace(microsecond=0)
        return self._seen_at(act.get("product", ""), self._appeared(act), at)

    def _appeared(self, act: Json) -> datetime | None:
        """When the other product showed a note that a person wrote in one of them."""
        times = (note.get("elsewhere") for note in self.alert["notes"] if note["offset"] == act["ref"])
        return next((parse_time(time) for time in times if time), None)

    def _as_seen(self, event: Event) -> Event:
        return replace(event, at=self._seen_at(event.product, event.elsewhere, event.at))

    def _seen_at(self, product: str, elsewhere: datetime | None, at: datetime) -> datetime:
        """When a product that was followed showed something: the other one late, or its own since the move."""
        if self.knowledge.followed(at) in ("", product):
            return at
        moves = (moved for moved, following in self.knowledge.moves if moved > at and following == product)
        return elsewhere or next(moves, at)

    @property
    def was_left_behind(self) -> bool:
        """Whether the product that is followed in the end does not have the alert."""
        knowledge = self.knowledge
        return bool(knowledge.moves) and knowledge.followed_last not in self.alert.get(
            "views", ("opsgenie", "jsm")
        )

    def is_missing(self, at: datetime) -> bool:
        """Whether the product that is followed does not have the alert, or will not when this is first seen."""
        views, knowledge = self.alert.get("views"), self.knowledge
        if views is None or not knowledge.moves:
            return False
        last = at if knowledge.is_seen_before_a_move(at) else next(m for m, _ in knowledge.moves if m > at)
        return knowledge.followed(last) not in views

    @cached_property
    def incident(self) -> Json | None:
        """The incident that is followed in the end; None where a lost database makes that uncertain."""
        last = self.incidents[-1]
        if last["id"] not in self.left:
            return last
        lost, looks = self.knowledge.lost_at, self.knowledge.first_looks
        if lost is not None and lost >= self.left[last["id"]]:
            return None
        return min((i for i in self.targets if i["id"] in looks), key=lambda i: looks[i["id"]], default=None)

    @property
    def was_there_before(self) -> bool:
        """Whether the alert was put in with a creation time in the past."""
        created = self.acts_of("opsgenie", "create")
        return parse_time(created[0]["at"]) - parse_time(self.alert["createdAt"]) > _BEFORE

    @cached_property
    def is_baseline(self) -> bool:
        """Whether a first start took the alert as it was: older than it looks back, or closed before it."""
        created = parse_time(self.alert["createdAt"])
        closed = [event.at for event in self.events if event.what is Did.ALERT_CLOSED]
        origins = self.knowledge.origins
        return any(created < since or any(at <= began for at in closed) for began, since in origins)

    @cached_property
    def was_over_at_loss(self) -> bool:
        """Whether the database was lost when the alert was closed and the incident resolved.

        A first start reads only what is open on either side.
        """
        lost, lag = self.knowledge.lost_at, self.knowledge.lag
        if lost is None:
            return False
        known = next((look for look in self.knowledge.looks or () if look > lost + lag), lost)
        return {e.what for e in self.events if e.at <= known} >= {Did.ALERT_CLOSED, Did.RESOLVED}

    @property
    def is_forgotten(self) -> bool:
        """Whether the product need not have mirrored what happened before it started, or started anew."""
        return self.was_over_at_loss or self.is_baseline

    @property
    def was_unlisted_at_loss(self) -> bool:
        """Whether the database was lost before PagerDuty's list showed the incident.

        With an empty database the product creates the incident again, is refused, and takes the existing one for a
        new one: it mirrors again what a customer did to the alert.
        """
        lost, lag = self.knowledge.lost_at, self.knowledge.lag
        if lost is None or not self.knowledge.lists_lag:
            return False
        return any(lost < parse_time(incident["created_at"]) + lag for incident in self.incidents)

    @property
    def is_creation_beyond_the_bound(self) -> bool:
        """Whether the first incident was resolved before any list had shown it.

        A creation in doubt is tried again at once, because a page must not wait and PagerDuty refuses a second
        open incident of the same key. After the first was resolved it does not refuse it, and pages twice.
        """
        first, second = self.incidents[0]["id"], parse_time(self.incidents[1]["created_at"])
        ended = (event for event in self.events if event.what is Did.RESOLVED and event.incident == first)
        was_over = any(event.at <= second for event in ended)
        return was_over and (self.knowledge.lists_lag or self.knowledge.creation_is_late)


def _is_born_acknowledged(incident: Json) -> bool:
    """Whether the acknowledgement came with the trigger, from the one who made it."""
    kinds = ["trigger_log_entry", "acknowledge_log_entry"]
    lines = [line for line in incident["log_entries"] if line["type"] in kinds][:2]
    is_ours = all(agent_of(line) == BOT.id for line in lines)
    is_at_once = len({line["created_at"] for line in lines}) == 1
    return is_ours and is_at_once and [line["type"] for line in lines] == kinds
