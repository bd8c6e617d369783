"""What the product lost, did twice, sent in circles or must never do: computed from the sandbox's state alone.

The truth is the journal of people's acts; what is compared with it are the notes, logs, incidents and pages that
are there now. Copies are recognised by their marks, `[Opsgenie · Ana Ruiz · …] text`, and PagerDuty's copies
also by their author, the automation user.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.sandbox.audit_case import Case, cases
from reconciler.sandbox.audit_text import ENGINEER_WORDS, WORDS, is_same, letters, marks_in, read_copy
from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.wire import Json

GRACE = 30.0
"""Seconds within which an opposite or final act excuses that an acknowledgement was not mirrored."""
_SILENT_RETRIGGER = "retriggered without a log entry"
_RETRIGGERS = ("reassigned", "escalated", "status set to triggered", "urgency raised", _SILENT_RETRIGGER)
_HIGH = ("P1", "P2")
_ABOUT_INCIDENTS = re.compile(r"\bincident\b")
_PRIORITY = re.compile(r"Alert priority changed from \[(P\d)\] to \[(P\d)\]")
_TIMEOUTS = ("acknowledgement timeout", "snooze ended")


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings, one readable line each."""

    lost: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    looped: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.twice or self.looped or self.forbidden)

    def as_json(self) -> dict[str, Any]:
        """Lists of lines by kind."""
        return {name: list(lines) for name, lines in asdict(self).items()}


Finding = tuple[str, str]
"""A kind (a field of Audit) and a line."""


def audit(state: Json, grace: float = GRACE) -> Audit:
    """All findings in a `/control/state`."""
    found: list[Finding] = []
    for case in cases(state):
        found += _incidents(case)
        if case.incident is not None:
            found += _customers_notes(case)
            found += _engineers_notes(case)
            found += _customers_acts(case)
            found += _priorities(case)
            found += _engineers_acts(case)
            found += _named(case)
            found += _engineers_states(case, grace)
            found += _own_states(case)
        found += _loops(case)
        found += _closings(case)
    found += _reopenings(state)
    found += _pages(state)
    by_kind = {kind: tuple(line for of, line in found if of == kind) for kind in ("lost", "twice", "looped")}
    return Audit(**by_kind, forbidden=tuple(line for of, line in found if of == "forbidden"))


def _count(
    found: int, wanted: int, line: str, least: int | None = None, *, shared: bool = False
) -> Iterator[Finding]:
    """Too few is lost, too many is twice, unless they may be another alert's that share an incident."""
    if found < (wanted if least is None else least):
        yield "lost", f"{line}: {found} of {wanted}"
    if found > wanted and not shared:
        yield "twice", f"{line}: {found} instead of {wanted}"


def _incidents(case: Case) -> Iterator[Finding]:
    """One incident an alert, beside what people make; none is needed for what was there before everything."""
    ours = [incident for incident in case.incidents if incident["id"] not in case.by_hand]
    least = 0 if case.was_there_before or case.by_hand else 1
    yield from _count(len(ours), 1, f"{case.name}: incidents", least)


def _customers_notes(case: Case) -> Iterator[Finding]:
    wanted = Counter((act["who"], act["text"]) for act in case.acts_of("opsgenie", "note"))
    for (who, text), times in wanted.items():
        copies = [c for c in case.bot_copies if letters(c.name) == letters(who) and is_same(c.text, text)]
        line = f"{case.name}: {who}'s note {_short(text)} in PagerDuty"
        yield from _count(len(copies), times, line, shared=case.shared)


def _engineers_notes(case: Case) -> Iterator[Finding]:
    """Recognised by the note's id in the mark; an edited note may be copied in any wording, a deleted one not."""
    deleted = {act["ref"] for act in case.acts_of("pagerduty", "delete_note")}
    for act in case.acts_of("pagerduty", "note"):
        texts = [act["text"]]
        texts += [e["text"] for e in case.acts_of("pagerduty", "edit_note") if e["ref"] == act["ref"]]
        copies = [
            copy for copy in case.alert_copies
            if copy.ref == f"note {act['ref']}" and letters(copy.name) == letters(act["who"])
            and any(is_same(copy.text, text) for text in texts)
        ]  # fmt: skip
        line = f"{case.name}: {act['who']}'s note {_short(act['text'])} in Opsgenie"
        yield from _count(len(copies), 1, line, 0 if act["ref"] in deleted or case.is_optional(act) else 1)


def _customers_acts(case: Case) -> Iterator[Finding]:
    notes = {(letters(act["who"]), act["text"]) for act in case.acts_of("opsgenie", "note")}
    rest = [c for c in case.bot_copies if not any(n == letters(c.name) and is_same(c.text, t) for n, t in notes)]
    for verb in ("acknowledge", "unacknowledge", "close"):
        wanted = Counter(act["who"] for act in case.acts_of("opsgenie", verb))
        for who, times in wanted.items():
            told = [c for c in rest if letters(c.name) == letters(who) and WORDS[verb].search(c.text)]
            line = f"{case.name}: {who}'s {verb} told in PagerDuty"
            yield from _count(len(told), times, line, shared=case.shared)


def _priorities(case: Case) -> Iterator[Finding]:
    """A priority that is another in the end is told, and raised over the line it raises the urgency."""
    changes = [found.groups() for line in case.alert["logs"] if (found := _PRIORITY.match(line["log"]))]
    if not changes or case.is_deleted or case.alert["status"] == "closed":
        return
    before, after = changes[0][0], changes[-1][1]
    told = [copy for copy in case.bot_copies if "priority" in copy.text]
    yield from _count(
        len(told), len(changes), f"{case.name}: priority told", int(before != after), shared=case.shared
    )
    incident = case.incidents[-1]
    is_low = incident["status"] != "resolved" and incident["urgency"] == "low"
    if after in _HIGH and before not in _HIGH and is_low:
        yield "lost", f"{case.name}: raised from {before} to {after}, and the incident's urgency is still low"


def _engineers_acts(case: Case) -> Iterator[Finding]:
    """Resolving, also by a merge, and reopening are told in a note."""
    acts = [copy for copy in case.alert_copies if not copy.ref.startswith("note ")]
    for verb, verbs in (("resolve", ("resolve", "merge")), ("reopen", ("reopen",))):
        done = case.acts_of("pagerduty", *verbs)
        wanted = Counter(act["who"] for act in done)
        least = Counter(act["who"] for act in done if not case.is_optional(act))
        for who, times in wanted.items():
            told = [c for c in acts if letters(c.name) == letters(who) and ENGINEER_WORDS[verb].search(c.text)]
            yield from _count(len(told), times, f"{case.name}: {who}'s {verb} told in Opsgenie", least[who])


def _named(case: Case) -> Iterator[Finding]:
    """An incident that is opened again after it was merged away is named on the alert: another one is followed."""
    by_id = {incident["id"]: incident for incident in case.incidents}
    for left in {act["incident_id"] for act in case.acts_of("pagerduty", "reopen") if case.is_left(act)}:
        incident = by_id.get(left)
        if incident is None or incident["status"] == "resolved":
            continue
        if not any(left in note and "not followed" in note for note in case.alert_notes):
            yield (
                "lost",
                f"{case.name}: incident #{incident['incident_number']}, open again, named in Opsgenie: 0 of 1",
            )


def _engineers_states(case: Case, grace: float) -> Iterator[Finding]:
    """In the alert's log, in the engineer's name, once, unless the alert was in that state already."""
    for verb, undone_by in (
        ("acknowledge", ("unacknowledge", "resolve", "merge", "reassign")),
        ("unacknowledge", ("acknowledge", "resolve", "merge")),
    ):
        also = ("reassign", "retrigger") if verb == "unacknowledge" else ()  # they do so without saying so
        for who in {act["who"]: None for act in case.acts_of("pagerduty", verb)}:
            acts = [act for act in case.acts_of("pagerduty", verb) if act["who"] == who]
            most = len(acts) + len([a for a in case.acts_of("pagerduty", *also) if also and a["who"] == who])
            due = [act for act in acts if not case.is_excused(act, verb, undone_by, grace)]
            done = case.log_lines(verb, who)
            line = f"{case.name}: {who}'s {verb} in the alert's log"
            if len(done) < len(due):
                yield "lost", f"{line}: {len(done)} of {len(due)}"
            if len(done) > most:
                yield "twice", f"{line}: {len(done)} instead of {most}"


def _own_states(case: Case) -> Iterator[Finding]:
    """What the automation user acknowledged goes back to a customer, what it wrote to the alert to an engineer."""
    mirrored = [line for line in case.incident_log("acknowledge_log_entry") if _agent(line) == BOT.id]
    wanted = len(case.acts_of("opsgenie", "acknowledge")) + case.births
    if len(mirrored) > wanted:
        yield (
            "twice",
            f"{case.name}: acknowledged in PagerDuty {len(mirrored)} times for {wanted} acknowledgements",
        )
    causes = len(case.acts_of("pagerduty", "acknowledge"))
    if len(case.log_lines("acknowledge")) > causes:
        yield "twice", f"{case.name}: acknowledged in Opsgenie more often than the {causes} times in PagerDuty"
    timeouts = len([page for page in case.pages if page["cause"] in (*_TIMEOUTS, *_RETRIGGERS)])
    causes = len(case.acts_of("pagerduty", "unacknowledge")) + timeouts
    if len(case.log_lines("unacknowledge")) > causes:
        yield "forbidden", f"{case.name}: unacknowledged in Opsgenie without a cause in PagerDuty"


def _loops(case: Case) -> Iterator[Finding]:
    """A copy of a copy: two marks in one note, or a note with the mark of the side that it is on."""
    quoted = [act["text"] for act in case.acts if marks_in(act["text"])]
    sides = (("Opsgenie", case.alert_notes), ("PagerDuty", case.bot_notes))
    for side, notes in sides:
        for text in notes:
            copy = read_copy(text)
            if copy is None or any(is_same(copy.text, quote) or is_same(text, quote) for quote in quoted):
                continue
            others = len(case.incidents) > 1 or case.targets
            if others and marks_in(text) == 1 and _ABOUT_INCIDENTS.search(copy.text):
                continue  # it names a twin, or what was merged into, and is nobody's note
            if marks_in(text) > 1 or copy.side == side:
                yield "looped", f"{case.name}: a copy of a copy in {side}: {_short(text)}"


def _closings(case: Case) -> Iterator[Finding]:
    if case.alert["status"] == "closed" and not case.acts_of("opsgenie", "close"):
        closed_by = case.alert.get("report", {}).get("closedBy", "")
        yield "forbidden", f"{case.name}: closed by {closed_by}, which is nobody's act"
    resolved = [line for line in case.incident_log("resolve_log_entry") if _agent(line) == BOT.id]
    if len(resolved) > len(case.acts_of("opsgenie", "close")):
        yield "forbidden", f"{case.name}: the incident was resolved by the automation user for no closing"


def _reopenings(state: Json) -> Iterator[Finding]:
    for incident in state["pagerduty"]["incidents"]:
        for line in incident["log_entries"]:
            if line["type"] == "reopen_log_entry" and _agent(line) == BOT.id:
                yield "forbidden", f"incident #{incident['incident_number']}: reopened by the automation user"


def _pages(state: Json) -> Iterator[Finding]:
    """Nobody is woken without a cause; where nobody was at first, being woken afterwards is right."""
    births = {each["id"]: case.births for case in cases(state) for each in case.incidents}
    logs = {alert["id"]: alert["logs"] for alert in state["opsgenie"]["alerts"]}
    verbs: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for act in state["journal"]:
        for about in {act["incident_id"], act["alert_id"]} - {""}:
            verbs[about][act["side"], act["verb"]] += 1
    pages: dict[str, list[str]] = defaultdict(list)
    for page in state["pagerduty"]["pages"]:
        pages[page["incident_id"]].append(page["cause"])
    for incident in state["pagerduty"]["incidents"]:
        about = incident["incident_key"] or incident["id"]
        causes = _causes(verbs[about], logs.get(about, []), births.get(incident["id"], 0))
        counted = Counter("retriggered" if cause in _RETRIGGERS else cause for cause in pages[incident["id"]])
        for cause, times in counted.items():
            if cause not in _TIMEOUTS and times > causes.get(cause, 0):
                name = f"incident #{incident['incident_number']}"
                yield "forbidden", f"{name}: {times} pages ({cause}) for {causes.get(cause, 0)} causes"


def _causes(verbs: Counter[tuple[str, str]], logs: list[Json], births: int) -> dict[str, int]:
    """How often each kind of page is called for by what people did, and by snoozes that ended."""
    by_hand = verbs["pagerduty", "reassign"] + verbs["pagerduty", "retrigger"]
    by_customers = verbs["opsgenie", "unacknowledge"] + verbs["opsgenie", "priority"]
    snoozes = sum(line["log"] == "Snooze ended" for line in logs)
    return {
        "triggered": int(bool(verbs["opsgenie", "create"] or verbs["pagerduty", "create"])),
        "reopened": verbs["pagerduty", "reopen"],
        "unacknowledged by hand": verbs["pagerduty", "unacknowledge"],
        "retriggered": by_hand + by_customers + snoozes + births,
    }


def _agent(line: Json) -> str:
    agent: Json = line.get("agent") or {}
    return str(agent.get("id", ""))


def _short(text: str) -> str:
    longest = 60
    return repr(text if len(text) <= longest else text[:longest] + "…")
