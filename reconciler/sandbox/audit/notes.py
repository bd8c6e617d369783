"""Rules about notes: copies of what people wrote, and reports of what they did."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from reconciler.sandbox.audit import marks
from reconciler.sandbox.audit.case import Case
from reconciler.sandbox.audit.events import Did, Event, priority_events
from reconciler.sandbox.audit.findings import Kind, Wrong, compare
from reconciler.sandbox.wire import Json, parse_time

_MANY = 1_000_000
"""More than there can be: no upper limit."""


def customers_notes(case: Case) -> Wrong:
    """Each of a customer's notes is copied once; equal notes as often as they were written."""
    written, edits = case.acts_of("opsgenie", "note"), case.acts_of("opsgenie", "edit_note")
    changed = {act["ref"] for act in case.acts_of("opsgenie", "edit_note", "delete_note")}
    wanted = Counter((act["who"], act["text"]) for act in written)
    due = Counter((a["who"], a["text"]) for a in written if a["ref"] not in changed and case.is_shown(a))
    versions = Counter(_first(written, edit) for edit in edits)
    for who, text in {**wanted, **versions}:
        shown = sum(case.is_copy(copy, who, text) for copy in case.copies["PagerDuty"])
        what, most = f"{who}'s note {_short(text)} in PagerDuty", wanted[who, text] + versions[who, text]
        least = 0 if case.is_forgotten else due[who, text]
        yield from compare(shown, what, least=least, most=_MANY if case.shared else most)
    yield from _edited_notes(case, written, edits)


def _edited_notes(case: Case, written: list[Json], edits: list[Json]) -> Wrong:
    """Of a note that its author has edited, any wording may be copied, and one must be, unless it was deleted."""
    deleted = {act["ref"] for act in case.acts_of("opsgenie", "delete_note")}
    for ref in {edit["ref"] for edit in edits} - deleted:
        note = next(act for act in written if act["ref"] == ref)
        texts = [note["text"], *(edit["text"] for edit in edits if edit["ref"] == ref)]
        shown = sum(any(case.is_copy(c, note["who"], text) for text in texts) for c in case.copies["PagerDuty"])
        least = 1 if case.is_shown(note) and not case.is_forgotten else 0
        yield from compare(shown, f"{note['who']}'s edited note in PagerDuty", least=least, most=_MANY)


def _first(written: list[Json], edit: Json) -> tuple[str, str]:
    """An edited text, and who wrote the note: it is copied in their name, whoever edited it."""
    return next(act["who"] for act in written if act["ref"] == edit["ref"]), edit["text"]


def engineers_notes(case: Case) -> Wrong:
    """Recognised by the note's id in the mark; an edited note may be copied in any wording, a deleted one not."""
    deleted = {act["ref"] for act in case.acts_of("pagerduty", "delete_note")}
    for act in case.acts_of("pagerduty", "note"):
        edits = [edit for edit in case.acts_of("pagerduty", "edit_note") if edit["ref"] == act["ref"]]
        texts = [each["text"] for each in (act, *edits)]
        marked = [copy for copy in case.copies["Opsgenie"] if copy.ref == f"note {act['ref']}"]
        copies = [copy for copy in marked if any(case.is_copy(copy, act["who"], text) for text in texts)]
        is_optional = act["ref"] in deleted or case.is_forgotten
        is_optional = is_optional or case.is_optional(act["incident_id"], parse_time(act["at"]))
        what = f"{act['who']}'s note {_short(act['text'])} in Opsgenie"
        yield from compare(len(copies), what, least=0 if is_optional else 1, most=_MANY)
        yield from compare(len(marked), what, least=0, most=1)


def details(case: Case) -> Wrong:
    """A list row lacks the alert's description: it is in the incident from the beginning, or in one note later."""
    words = case.alert["description"]
    if not words or not case.knowledge.is_watched:
        return
    shown = sum(words in (incident["body"] or "") for incident in case.incidents)
    shown += sum(text.startswith(marks.DETAILS) and words in text for text in case.notes["PagerDuty"])
    wanted = len(case.incidents)
    least = 0 if case.knowledge.lost_at or case.is_forgotten else wanted
    yield from compare(shown, "the alert's details in PagerDuty", least=least, most=wanted)


def told(case: Case) -> Wrong:
    """Each act is reported in a note, at most once.

    No report is needed without a look between the act and another one, or for an incident that is not followed.
    """
    for did, (words, verb) in marks.SAYS.items():
        side = "PagerDuty" if did.is_on_alert else "Opsgenie"
        notes = [copy for copy in case.told[side] if copy.text.startswith(words)]
        deeds = [event for event in case.events if event.what is did]
        beside = [event for event in case.events if event.what.is_on_alert == did.is_on_alert]
        beside += [] if did.is_on_alert else case.crossing
        due = [deed for deed in deeds if _must_be_told(case, deed, beside)]
        for who in {deed.who: None for deed in deeds if deed.who}:
            shown = sum(marks.is_person(copy.name, who) for copy in notes)
            least, times = (sum(deed.who == who for deed in some) for some in (due, deeds))
            most = _MANY if case.shared else times
            yield from compare(shown, f"{who}'s {verb} told in {side}", least=least, most=most)
        if case.knowledge.is_watched:
            yield from compare(len(notes), f"{verb} told in {side}", least=0, most=len(deeds))


def _must_be_told(case: Case, deed: Event, beside: list[Event]) -> bool:
    is_optional = bool(deed.incident) and case.is_optional(deed.incident, deed.at)
    return not is_optional and not case.was_over_at_loss and case.is_alone(deed, beside)


def priorities(case: Case) -> Wrong:
    """A change of priority is reported with the old and the new one, if there was a look before and after it.

    At least one report is needed if the final priority differs from the one that the product saw first.
    """
    changes = list(priority_events(case.alert))
    told_as = [copy.text for copy in case.told["PagerDuty"] if copy.text.startswith("changed the priority")]
    yield from compare(len(told_as), "priority told", least=0, most=_MANY if case.shared else len(changes))
    closed = [event.at for event in case.events if event.what is Did.ALERT_CLOSED]
    due = [change for change in changes if not any(at <= change.at for at in closed)]
    if not due or case.is_deleted or case.is_forgotten:
        return
    created = Event(parse_time(case.alert["createdAt"]), Did.ALERT_PRIORITY)
    if case.knowledge.is_watched:
        beside = [created, *changes, *(event for event in case.events if event.what.is_on_alert)]
        alone = Counter(change.detail for change in due if case.is_alone(change, beside))
        for detail, times in alone.items():
            shown = told_as.count(f"changed the priority {detail}")
            yield from compare(shown, f"priority {detail} told", least=times, most=_MANY)
    is_lasting = case.alert["priority"] not in changes[0].detail.partition(" to ")[0]
    if is_lasting and not closed and case.is_alone(changes[0], [created]):
        yield from compare(len(told_as), "priority told", least=1, most=_MANY)


def second_incidents(case: Case) -> Wrong:
    """A note names an incident that was reopened after its merge, since another one is followed.

    If looks are known, a second incident that is followed must be named, too, and each on both sides.
    """
    if case.knowledge.lost_at:
        return
    is_watched = case.knowledge.is_watched
    again = [i for i in case.incidents if i["id"] in case.left and i["status"] != "resolved"]
    named = [(marks.NOT_FOLLOWED, incident) for incident in again]
    named += [(marks.NEWLY_FOLLOWED, incident) for incident in case.incidents[1:] if is_watched]
    for words, incident in named:
        for side in ("Opsgenie", "PagerDuty") if is_watched else ("Opsgenie",):
            texts = case.notes[side]
            times = sum(found[1] == incident["id"] for text in texts for found in words.finditer(text))
            what = f"second incident #{incident['incident_number']} named in {side}"
            yield from compare(times, what, least=1, most=1)


def order(case: Case) -> Wrong:
    """Copies are in the order in which people wrote the notes, and reports in the order of the acts."""
    if case.knowledge.lost_at or not case.knowledge.is_watched:
        return
    said = {did: words for did, (words, _) in marks.SAYS.items()}
    done = [(n, f"{e.who}: {said[e.what]}") for n, e in enumerate(case.events) if e.what in said and e.who]
    for act_side, side in (("opsgenie", "PagerDuty"), ("pagerduty", "Opsgenie")):
        if side == "Opsgenie" and case.knowledge.queue_reorders:
            continue  # it accepted them in their order
        written = [(case.known_at(act), f"{act['who']}: {act['text']}") for act in case.acts_of(act_side, "note")]
        for wanted in (written, done):  # type: Sequence[tuple[Any, str]]
            lines = Counter(line for _, line in wanted)
            shown = [line for copy in case.copies[side] if (line := _line(copy)) in lines]
            if Counter(shown) <= lines and not _is_in_order(shown, wanted):
                yield Kind.ORDER, f"{shown} in the place of {[line for _, line in sorted(wanted)]}"


def loops(case: Case) -> Wrong:
    """No copy is copied back: no note has the mark of its own side, or two marks unless a person quoted one."""
    quoted = [act["text"] for act in case.acts if marks.count_in(act["text"])]
    for side, texts in case.notes.items():
        for text in texts:
            copy = marks.read_copy(text)
            if copy is None and case.knowledge.is_watched:
                yield Kind.LOOP, f"a note without a mark in {side}: {_short(text)}"
            if copy is None or (copy.side != side and any(marks.is_same(copy.text, quote) for quote in quoted)):
                continue
            if copy.side == side or marks.count_in(text) > 1:
                yield Kind.LOOP, f"a copy of a copy in {side}: {_short(text)}"


def _line(copy: marks.Copy) -> str:
    return f"{copy.name}: {copy.text}"


def _is_in_order(shown: list[str], wanted: Sequence[tuple[Any, str]]) -> bool:
    """Whether the lines shown are in the order of their times; lines of the same time may be in any order."""
    left, now = sorted(wanted), None
    for line in shown:
        place = next((place for place in left if place[1] == line and (now is None or place[0] >= now)), None)
        if place is None:
            return False
        left.remove(place)
        now = place[0]
    return True


def _short(text: str) -> str:
    longest = 60
    return repr(text if len(text) <= longest else text[:longest] + "…")
