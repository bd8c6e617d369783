"""What must be true of every history once everything has healed: computed from the vendors' state alone.

States are judged by level, as the product sees them: what counts is an act that moved its own side, and when
nothing else happened to the pair between two undisturbed cycles around it (it stands alone). The rule then is:

    the last act was …                   in the end
    Opsgenie: acknowledged               both are acknowledged
    Opsgenie: un-acknowledged            the alert is not; the incident is triggered, or an engineer holds it
    PagerDuty: acknowledged              both are acknowledged
    PagerDuty: un-acknowledged, also by
      a time-out of an engineer's own    neither is acknowledged
    PagerDuty: a time-out of ours, or an
      urgency that we raised             the incident is triggered, the alert as it was

Acts that cross, or undo each other between two looks, cannot be told apart by anybody who looks at levels: there
both sides must agree, or differ in a way that a person's or a policy's act explains.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from reconciler.core.model import Status
from reconciler.core.retry import LONGEST_FOR_PATH
from reconciler.sandbox.pagerduty.directory import BOT
from tests.support.simulation.schedule import FOR_HOURS, LATE, LONG_ONES, SETTINGS, STALENESS
from tests.support.simulation.world import AWAKE, Outcome

Json = dict[str, Any]
WRITES_FOR_EACH = 4
WRITES_FOR_LASTING = 40
"""What waits is tried again while something lasts, each ever more slowly."""
WRITES_FOR_HOURS = 3 * int(AWAKE / LONGEST_FOR_PATH.total_seconds())
"""The same of each alert where it lasts for hours, of which the process is awake for some minutes."""
OLD = timedelta(seconds=20)
"""How long somebody's act is not seen where reads by id are old."""
HIGH = ("P1", "P2")
IN_FLIGHT = timedelta(seconds=1.1)
"""Whoever resolves between our look and our write, one request later, is not seen: no call can tell."""
MARK = re.compile(r"\[(Opsgenie|PagerDuty) · ([^\]]*?) · ([^\]·]*)\] (.*)", re.DOTALL)
DETAILS = ("[Opsgenie · alert details · ", "[Opsgenie · details that PagerDuty refused · ")
FOLLOWED = re.compile(r"incident #\d+ \((\w+)\) .* is followed from now on")
PRIORITY = re.compile(r"Alert priority changed from \[(P\d)\] to \[(P\d)\]")
NAMED = re.compile(r"incident #\d+ \((\w+)\) bears this alert's key, too: it is not followed")
IN_QUEUE = frozenset({
    "queued", "fails_later", "forgotten", "forgotten_failure", "og_blind", "og_halted", "og_failing", *FOR_HOURS,
})  # fmt: skip
"""What may happen to a write between its acceptance by Opsgenie and its effect."""
TOLD = {
    "A+": "acknowledged the alert", "A-": "unacknowledged the alert", "close": "closed the alert",
    "resolve": "resolved the incident", "reopen": "reopened the incident",
}  # fmt: skip
SIDE = {"A+": "og", "A-": "og", "close": "og"}
_STATE_LINES = {f"{verb}_log_entry" for verb in ("acknowledge", "unacknowledge", "assign", "escalate")}


def findings(outcome: Outcome) -> list[str]:
    """Everything that is wrong, one line each; empty when all is well."""
    found = [f"BROKEN {line}" for line in outcome.broken]
    found += [f"NOT QUIET {line}" for line in outcome.quiet_writes]
    found += [
        f"LEFT {count} {status}" for status, count in outcome.ledger.items()
        if status in (Status.PLANNED, Status.SENT, Status.DEAD)
    ]  # fmt: skip
    cases = _cases(outcome)
    machine = sum(event.who == "" for case in cases for event in case.events)
    most = WRITES_FOR_EACH * (len(outcome.acted) + len(outcome.fired) + machine)
    most += WRITES_FOR_LASTING * sum(fault.what in LONG_ONES for fault in outcome.fired)
    most += WRITES_FOR_HOURS * len(cases) * sum("hours" in fault.what for fault in outcome.fired)
    if outcome.writes > most:
        found.append(f"STORM {outcome.writes} writes, at most {most} are explained")
    for case in cases:
        found += [f"{line} (alert {case.name})" for line in _judge(case)]
    return found


def _judge(case: "Case") -> Iterator[str]:
    yield from _incidents(case)
    if case.incidents:
        yield from _customers_notes(case)
        yield from _details(case)
        yield from _engineers_notes(case)
        yield from _told(case)
        yield from _order(case)
        yield from _loops(case)
        yield from _forbidden(case)
        yield from _pages(case)
        yield from _own_acts(case)
        yield from _state(case)
        yield from _urgency(case)


@dataclass(frozen=True)
class Event:
    """Something that moved a side: A+ A- close on the alert, P+ P- PT Pt resolve reopen on the incident.

    PT is an acknowledgement of an engineer's that ran out, Pt one of ours, Pu one that ended when we raised the
    urgency, as the alert's priority was raised. `who` is empty for a machine.
    `incident` is its id, empty for what happened to the alert.
    """

    at: datetime
    what: str
    who: str
    incident: str = ""

    @property
    def side(self) -> str:
        """Where."""
        return SIDE.get(self.what, "pd")


@dataclass(frozen=True)
class Case:
    """One alert, its incidents, and what people did about them."""

    outcome: Outcome
    alert: Json
    incidents: list[Json]
    acts: list[Json]
    pages: list[Json]
    targets: list[Json] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The alert's number."""
        return str(self.alert["tinyId"])

    def acts_of(self, side: str, *verbs: str) -> list[Json]:
        """People's acts of some kinds."""
        return [act for act in self.acts if act["side"] == side and act["verb"] in verbs]

    @cached_property
    def ours_in_pagerduty(self) -> list[str]:
        """Notes by the automation user, also on what an incident was merged into: that is followed then."""
        return [
            n["content"] for i in (*self.incidents, *self.targets) for n in i["notes"] if n["user"]["id"] == BOT.id
        ]

    @cached_property
    def ours_in_opsgenie(self) -> list[str]:
        """Notes on the alert that nobody wrote by hand."""
        by_hand = {act["ref"] for act in self.acts_of("opsgenie", "note")}
        return [n["note"] for n in self.alert["notes"] if n["offset"] not in by_hand]

    @cached_property
    def events(self) -> list[Event]:
        """Everything that moved a side and was not our own doing, in order."""
        found = [*_alert_events(self.alert)]
        for incident in (*self.incidents, *self.targets):
            found += _incident_events(incident)
        return sorted(found, key=lambda event: event.at)

    @cached_property
    def left(self) -> dict[str, datetime]:
        """Incidents that were merged into another one, by id, and since when that is followed in their place.

        What happens to such a one from then on is not mirrored; it is named when it is opened again.
        """
        found: dict[str, datetime] = {}
        for merge in self.acts_of("pagerduty", "merge"):
            looked = self.outcome.first_looks.get(merge["text"])
            if looked is not None:
                found.setdefault(merge["incident_id"], max(_time(looked), _time(merge["at"])))
        return found

    def is_followed(self, incident_id: str, at: datetime) -> bool:
        """Whether what happens to this incident at this time is to be mirrored."""
        return incident_id not in self.left or at <= self.left[incident_id]

    @cached_property
    def incident(self) -> Json | None:
        """The incident that is followed in the end; None where a lost database has made that uncertain."""
        last = self.incidents[-1]
        if last["id"] not in self.left:
            return last
        if self.outcome.lost_at and _time(self.outcome.lost_at) >= self.left[last["id"]]:
            return None
        looks = self.outcome.first_looks
        return min((i for i in self.targets if i["id"] in looks), key=lambda i: looks[i["id"]])

    @cached_property
    def ours(self) -> list[Event]:
        """What we did to an incident: an act that crosses one of these cannot be told from it.

        In Opsgenie it can: an acknowledgement bears a name, and the log has who took one back.
        """
        incidents = (*self.incidents, *self.targets)
        bot = [line for incident in incidents for line in incident["log_entries"] if _is_bot(line)]
        return [Event(_time(line["created_at"]), "P our own", "") for line in bot if line["type"] in _STATE_LINES]

    def apart(self, one: Event, other: Event) -> bool:
        """Whether the product had an undisturbed look between them."""
        first, second = sorted((one.at, other.at))
        return any(first + self._lag <= look < second for look in self._looks)

    def alone(self, event: Event, among: Iterable[Event]) -> bool:
        """Whether nothing of these came close to it, and the database was not lost around it."""
        return self.outlived(event) and all(other is event or self.apart(event, other) for other in among)

    def outlived(self, event: Event) -> bool:
        """Whether the database was not lost around it: what nobody had seen by then is a baseline afterwards.

        What had been seen, and was in doubt when the database was lost, is lost with it.
        """
        if not self.outcome.lost_at:
            return True
        lost = Event(_time(self.outcome.lost_at), "lost", "")
        in_doubt = len(self.outcome.fired) > 1 and abs(lost.at - event.at) < timedelta(seconds=STALENESS + LATE)
        return self.apart(event, lost) and not in_doubt

    @cached_property
    def _looks(self) -> list[datetime]:
        return [_time(began) for began, calm in self.outcome.windows if calm]

    @cached_property
    def _lag(self) -> timedelta:
        settings = SETTINGS.get(self.outcome.history.setting, {})
        lags = [float(str(settings.get(name, 0.0))) for name in ("list_lag", "log_lag", "write_lag")]
        return timedelta(seconds=max(lags) + 1.5)

    @property
    def born(self) -> int:
        """How many incidents were born acknowledged by the automation user, and paged nobody at first."""
        return len(self.incidents) - sum(1 for page in self.pages if page["cause"] == "triggered")

    @property
    def is_creation_beyond_the_bound(self) -> bool:
        """A creation in doubt is tried again at once: pages must not wait, and PagerDuty takes no second open one.

        So somebody is paged twice when the first incident was resolved before any list had shown it.
        """
        lists_lag = self.outcome.history.setting == "slow"
        late = any(fault.kind == "pd.create" and fault.what.startswith("late") for fault in self.outcome.fired)
        first, second = self.incidents[0], self.incidents[1]
        resolved = [e.at for e in _incident_events(first) if e.what == "resolve"]
        was_over = any(at <= _time(second["created_at"]) for at in resolved)
        return was_over and (lists_lag or late)

    @property
    def is_before_the_start(self) -> bool:
        """Whether the alert was older than the first start looks back, or closed before it."""
        return any(
            self.alert["createdAt"] < since
            or any(event.what == "close" and event.at <= _time(began) for event in self.events)
            for began, since in self.outcome.origins
        )

    @property
    def was_lost_unlisted(self) -> bool:
        """Whether the database was lost before PagerDuty's list showed the incident.

        The new life raises the alert once more, is refused, and takes the incident as its own new one: what a
        customer did to the alert is news to it.
        """
        lost = self.outcome.lost_at
        young = any(_time(lost) < _time(i["created_at"]) + self._lag for i in self.incidents) if lost else False
        return young and self.outcome.history.setting == "slow"

    @property
    def was_lost_shut(self) -> bool:
        """Whether the database was lost when the alert was closed and the incident resolved.

        A first start looks at what is open on either side; what is over is not opened up again.
        """
        if not self.outcome.lost_at:
            return False
        lost = _time(self.outcome.lost_at)
        known = next((look for look in self._looks if look > lost + self._lag), lost)
        return {event.what for event in self.events if event.at <= known} >= {"close", "resolve"}


# -- counting --


def _incidents(case: Case) -> Iterator[str]:
    if len(case.incidents) > 1 and not case.is_creation_beyond_the_bound:
        yield f"TWICE {len(case.incidents)} incidents"
    if not case.incidents and not case.was_lost_shut and not case.is_before_the_start:
        yield "LOST no incident"


def _customers_notes(case: Case) -> Iterator[str]:
    wanted = Counter((act["who"], act["text"]) for act in case.acts_of("opsgenie", "note"))
    copies = [found for text in case.ours_in_pagerduty if (found := MARK.match(text)) and found[1] == "Opsgenie"]
    shown = Counter((found[2], found[4]) for found in copies)
    strict = not (case.was_lost_shut or case.is_before_the_start)
    for key, times in wanted.items():
        yield from _compare(shown[key], times, f"customer's note {key} in PagerDuty", strict=strict)
    marks = Counter(text[: found.start(4)] for text in case.ours_in_pagerduty if (found := MARK.match(text)))
    yield from (f"TWICE mark {mark}" for mark, times in marks.items() if times > 1 and "note" in mark)


def _details(case: Case) -> Iterator[str]:
    """What a list row of the alert does not have: in its incident from the beginning, or in one note later."""
    words = case.alert["description"]
    if not words:
        return
    shown = sum(words in (incident["body"] or "") for incident in case.incidents)
    shown += sum(text.startswith(DETAILS) and words in text for text in case.ours_in_pagerduty)
    strict = not (case.outcome.lost_at or case.is_before_the_start or case.was_lost_shut)
    yield from _compare(shown, len(case.incidents), "the alert's details in PagerDuty", strict=strict)


def _engineers_notes(case: Case) -> Iterator[str]:
    gone = {act["ref"] for act in case.acts_of("pagerduty", "delete_note")}
    for act in case.acts_of("pagerduty", "note"):
        texts = {act["text"]}
        texts |= {edit["text"] for edit in case.acts_of("pagerduty", "edit_note") if edit["ref"] == act["ref"]}
        head = f"[PagerDuty · {act['who']} · note {act['ref']}] "
        copies = [text for text in case.ours_in_opsgenie if text.startswith(head) and text[len(head) :] in texts]
        strict = act["ref"] not in gone and not case.was_lost_shut and not case.is_before_the_start
        strict = strict and case.is_followed(act["incident_id"], _time(act["at"]))
        yield from _compare(len(copies), 1, f"engineer's note {act['ref']} in Opsgenie", strict=strict)


def _compare(shown: int, wanted: int, what: str, *, strict: bool = True) -> Iterator[str]:
    if shown > wanted:
        yield f"TWICE {what}: {shown} for {wanted}"
    if shown < wanted and strict:
        yield f"LOST {what}: {shown} for {wanted}"


def _told(case: Case) -> Iterator[str]:
    """Acts that are told in a note: never more often than done; exactly once where an act stands alone."""
    notes = {"og": case.ours_in_pagerduty, "pd": case.ours_in_opsgenie}
    for what, words in TOLD.items():
        events = [event for event in case.events if event.what == what]
        told = Counter(
            found[2] for text in notes[SIDE.get(what, "pd")]
            if (found := MARK.match(text)) and found[4].startswith(words)
        )  # fmt: skip
        if told.total() > len(events):
            yield f"TWICE '{words}' told {told.total()} times for {len(events)}"
        if case.was_lost_shut:
            continue
        side = SIDE.get(what, "pd")
        same_side = [event for event in (*case.events, *case.ours) if event.side == side]
        alone = [event for event in events if event.who and case.alone(event, same_side)]
        followed = Counter(event.who for event in alone if case.is_followed(event.incident, event.at))
        for who, times in followed.items():
            if told[who] < times:
                yield f"LOST '{words}' by {who} told {told[who]} times for {times}"
    yield from _priorities(case)
    yield from _named(case)


def _priorities(case: Case) -> Iterator[str]:
    """A change of the alert's priority is told with what it was and is, once where it stands alone."""
    events = list(_priority_events(case.alert))
    closed = [event.at for event in case.events if event.what == "close"]
    told = Counter(found[4] for text in case.ours_in_pagerduty if (found := MARK.match(text)))
    if sum(times for words, times in told.items() if words.startswith("changed the priority")) > len(events):
        yield "TWICE a priority told more often than it was changed"
    created = Event(_time(case.alert["createdAt"]), "create", "")
    beside = [created, *events, *(event for event in case.events if event.side == "og")]
    due = (event for event in events if not any(at <= event.at for at in closed))
    alone = Counter(event.what for event in due if case.alone(event, beside))
    for words, times in alone.items():
        if told[words] < times and not case.was_lost_shut and not case.is_before_the_start:
            yield f"LOST '{words}' told {told[words]} times for {times}"


def _named(case: Case) -> Iterator[str]:
    """A second incident is named on both sides: one that is opened again, and one that is followed then."""
    if case.outcome.lost_at:
        return
    named = [(NAMED, i) for i in case.incidents if i["id"] in case.left and i["status"] != "resolved"]
    named += [(FOLLOWED, incident) for incident in case.incidents[1:]]
    for words, incident in named:
        for side, texts in (("PagerDuty", case.ours_in_pagerduty), ("Opsgenie", case.ours_in_opsgenie)):
            times = sum(found[1] == incident["id"] for text in texts for found in words.finditer(text))
            yield from _compare(times, 1, f"second incident #{incident['incident_number']} named in {side}")


def _order(case: Case) -> Iterator[str]:
    """Notes stand in the order in which people wrote them; acts are told in the order in which they were done."""
    if case.outcome.lost_at:
        return
    for side, texts in (("opsgenie", case.ours_in_pagerduty), ("pagerduty", case.ours_in_opsgenie)):
        if side == "pagerduty" and case.outcome.fired_in(IN_QUEUE):
            continue  # Opsgenie has accepted them in their order: what it makes of its queue is its own
        copies = [found for text in texts if (found := MARK.match(text)) and found[1].lower() == side]
        notes = [(_as_shown(act), f"{act['who']}: {act['text']}") for act in case.acts_of(side, "note")]
        done = [(n, f"{e.who}: {TOLD[e.what]}") for n, e in enumerate(case.events) if e.what in TOLD and e.who]
        for wanted in (notes, done):
            lines = Counter(line for _, line in wanted)
            shown = [line for found in copies if (line := f"{found[2]}: {found[4]}") in lines]
            if Counter(shown) <= lines and not _is_in_order(shown, wanted):
                yield f"ORDER {shown} in the place of {[line for _, line in sorted(wanted)]}"


def _is_in_order(shown: list[str], wanted: Sequence[tuple[Any, str]]) -> bool:
    """Whether each comes no earlier than the one before it; what is wanted at one time has no order."""
    left, now = sorted(wanted), None
    for line in shown:
        place = next((place for place in left if place[1] == line and (now is None or place[0] >= now)), None)
        if place is None:
            return False
        left.remove(place)
        now = place[0]
    return True


def _as_shown(act: Json) -> Any:
    """The order that can be known: PagerDuty's notes of one second have none."""
    at = _time(act["at"])
    return at.replace(microsecond=0) if act["side"] == "pagerduty" else at


def _loops(case: Case) -> Iterator[str]:
    quoted = {act["text"] for act in case.acts if MARK.match(act["text"])}
    for side, texts in (("Opsgenie", case.ours_in_opsgenie), ("PagerDuty", case.ours_in_pagerduty)):
        for text in texts:
            found = MARK.match(text)
            if found is None:
                yield f"LOOP a note without a mark in {side}: {text}"
            elif found[1] == side or (MARK.match(found[4]) and found[4] not in quoted):
                yield f"LOOP in {side}: {text}"


def _forbidden(case: Case) -> Iterator[str]:
    lines = [line for incident in case.incidents for line in incident["log_entries"] if _is_bot(line)]
    if any(line["type"] == "resolve_log_entry" for line in lines):
        yield "FORBIDDEN resolved by us"
    if not all(_reopenings(case)):
        yield "FORBIDDEN reopened by us"
    if any("closed via API" in line["log"] for line in case.alert["logs"]):
        yield "FORBIDDEN the alert was closed by us"


def _reopenings(case: Case) -> Iterator[bool]:
    """Of each reopening by us: whether somebody resolved while it was in flight, which no look prevents."""
    resolved = [_time(act["at"]) for act in case.acts_of("pagerduty", "resolve", "merge")]
    late = any((fault.kind, fault.what) == ("pd.status", "late") for fault in case.outcome.fired)
    flight = IN_FLIGHT + timedelta(seconds=LATE if late else 0)
    flight += OLD if case.outcome.fired_in({"both_old"}) else timedelta(0)
    for line in (line for incident in case.incidents for line in incident["log_entries"]):
        if line["type"] == "reopen_log_entry" and _is_bot(line):
            yield any(abs(_time(line["created_at"]) - act) < flight for act in resolved)


def _pages(case: Case) -> Iterator[str]:
    """Somebody is paged, and nobody is woken without a person's or a policy's cause."""
    if not case.pages:
        yield "LOST page: there is an incident, and it has paged nobody"
    events = Counter(event.what for event in case.events)
    late = sum(fault.kind == "pd.status" and fault.what.startswith("late") for fault in case.outcome.fired)
    taken_back = min(late, events["P-"])  # before our acknowledgement took effect
    causes = {
        "triggered": len(case.incidents),  # one too many is found by _incidents
        "reopened": events["reopen"] + sum(_reopenings(case)),
        "unacknowledged by hand": len(case.acts_of("pagerduty", "unacknowledge")),
        "again": events["A-"] + len(case.acts_of("pagerduty", "reassign")) + case.born + taken_back,
        "urgency raised": len(case.acts_of("opsgenie", "priority")),
    }
    pages = Counter(
        "again" if page["cause"] in ("reassigned", "escalated", "status set to triggered") else page["cause"]
        for page in case.pages
    )
    for cause, times in pages.items():
        if cause not in ("acknowledgement timeout", "snooze ended") and times > causes.get(cause, 0):
            yield f"PAGED {times} times ({cause}) for {causes.get(cause, 0)} causes"


def _own_acts(case: Case) -> Iterator[str]:
    """What we did to states: at most once for each cause."""
    events = Counter(event.what for event in case.events)
    api = Counter(line["log"].partition(" via API")[0] for line in case.alert["logs"] if "via API" in line["log"])
    ours = Counter(line["type"] for i in case.incidents for line in i["log_entries"] if _is_bot(line))
    for times, causes, what in (
        (api["Alert acknowledged"], events["P+"], "acknowledged in Opsgenie"),
        (
            api["Alert unacknowledged"],
            events["P-"] + events["PT"] + events["reopen"],
            "un-acknowledged in Opsgenie",
        ),
        (
            ours["acknowledge_log_entry"],
            events["A+"] * (2 if case.was_lost_unlisted else 1) + case.born,
            "acknowledged in PagerDuty",
        ),
    ):
        if times > causes:
            yield f"TWICE {what} {times} times for {causes} causes"
    names = {event.who for event in case.events if event.what in ("P+", "P-")} | {
        "PagerDuty (acknowledgement timed out)"
    }
    for line in case.alert["logs"]:
        if "acknowledged via API" in line["log"] and line["owner"] not in names:
            yield f"WRONG NAME {line['owner']}: {line['log']}"


# -- states --


def _state(case: Case) -> Iterator[str]:
    alert, incident = case.alert, case.incident
    events = [event for event in case.events if case.is_followed(event.incident, event.at)]
    if incident is None or alert["status"] == "closed" or incident["status"] == "resolved" or not events:
        return
    acknowledged, status = alert["acknowledged"], incident["status"]
    held_by_person = any(hand["acknowledger"]["id"] != BOT.id for hand in incident["acknowledgements"])
    last = events[-1]
    shown = (
        f"alert {'' if acknowledged else 'not '}acknowledged, incident {status}, last {last.what} by {last.who}"
    )
    if not case.outlived(last):
        return
    if not case.alone(last, events):
        before = {event.what for event in events}
        ends = {"Pt", "PT", "Pu", "P-", "reopen", "resolve"}
        if acknowledged and status == "triggered" and not before & ends:
            yield f"STATE differs unexplained: {shown}"
        if not acknowledged and status == "acknowledged" and not before & {"A-", "resolve"}:
            yield f"STATE differs unexplained: {shown}"
        return
    right = {
        "A+": acknowledged and status == "acknowledged",
        "A-": not acknowledged and (status == "triggered" or held_by_person),
        "P+": acknowledged and status == "acknowledged",
        "P-": not acknowledged and status == "triggered",
        "PT": not acknowledged and status == "triggered",
        "Pt": status == "triggered",
        "Pu": status == "triggered",
    }
    if not right.get(last.what, True):
        yield f"STATE {shown}"


def _urgency(case: Case) -> Iterator[str]:
    """A priority that was raised over the line has raised the urgency: low urgency wakes nobody."""
    alert, incident = case.alert, case.incident
    if incident is None or alert["status"] == "closed" or incident["status"] == "resolved" or case.outcome.lost_at:
        return
    raised = any(act["text"] in HIGH for act in case.acts_of("opsgenie", "priority"))
    if raised and alert["priority"] in HIGH and incident["urgency"] == "low" and not case.is_before_the_start:
        yield f"STATE the alert is {alert['priority']} and the incident's urgency low"


def _priority_events(alert: Json) -> Iterator[Event]:
    for line in alert["logs"]:
        found = PRIORITY.match(line["log"])
        if found is not None and found[1] != found[2]:
            words = f"changed the priority from {found[1]} to {found[2]}"
            yield Event(_time(line["createdAt"]), words, line["owner"])


def _alert_events(alert: Json) -> Iterator[Event]:
    acknowledged = False
    for line in alert["logs"]:
        by_us, at, who = "via API" in line["log"], _time(line["createdAt"]), line["owner"]
        if "unacknowledged" in line["log"] or line["log"] == "Snooze ended":
            if acknowledged and not by_us:
                yield Event(at, "A-", "" if line["log"] == "Snooze ended" else who)
            acknowledged = False
        elif "acknowledged" in line["log"]:
            if not acknowledged and not by_us:
                yield Event(at, "A+", who)
            acknowledged = True
        elif "closed" in line["log"] and not by_us:
            yield Event(at, "close", who)


def _incident_events(incident: Json) -> Iterator[Event]:
    status, held = "triggered", set[str]()
    for line in incident["log_entries"]:
        kind, at = line["type"].removesuffix("_log_entry"), _time(line["created_at"])
        agent = (line.get("agent") or {}).get("id", "")
        who = (
            ""
            if (line.get("channel") or {}).get("type") == "timeout"
            else (line.get("agent") or {}).get("summary", "")
        )
        person = agent != BOT.id
        match kind:
            case "acknowledge":
                if person and (status != "acknowledged" or agent not in held):
                    yield Event(at, "P+", who, incident["id"])
                held = {*held, agent} if status == "acknowledged" else {agent}
                status = "acknowledged"
            case "unacknowledge" | "assign" | "escalate":
                if status == "acknowledged" and person:
                    ran_out = "Pt" if held == {BOT.id} else "PT"
                    yield Event(at, "P-" if who else ran_out, who, incident["id"])
                status, held = "triggered", set()
            case "urgency_change" if status == "acknowledged" and not person:
                yield Event(at, "Pu", "", incident["id"])
                status, held = "triggered", set()
            case "resolve" if status != "resolved":
                status, held = "resolved", set()
                yield Event(at, "resolve", who, incident["id"])
            case "reopen":
                status, held = "triggered", set()
                yield Event(at, "reopen" if person else "raced", who, incident["id"])


def _cases(outcome: Outcome) -> list[Case]:
    state = outcome.state
    created = {a["alert_id"] for a in state["journal"] if a["side"] == "opsgenie" and a["verb"] == "create"}
    found = []
    for alert in state["opsgenie"]["alerts"]:
        if alert["id"] not in created or alert["message"] == "old":
            continue
        incidents = [i for i in state["pagerduty"]["incidents"] if i["incident_key"] == alert["id"]]
        ids = {incident["id"] for incident in incidents}
        acts = [a for a in state["journal"] if a["alert_id"] == alert["id"] or a["incident_id"] in ids]
        pages = [page for page in state["pagerduty"]["pages"] if page["incident_id"] in ids]
        into = {act["text"] for act in acts if act["side"] == "pagerduty" and act["verb"] == "merge"}
        targets = [i for i in state["pagerduty"]["incidents"] if i["id"] in into - ids]
        found.append(Case(outcome, alert, incidents, acts, pages, targets))
    return found


def _is_bot(line: Json) -> bool:
    return bool((line.get("agent") or {}).get("id") == BOT.id)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
