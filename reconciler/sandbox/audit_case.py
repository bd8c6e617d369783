"""One alert, its incident and what people did about them: what the audit looks at."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from reconciler.sandbox.audit_text import WORDS, Copy, letters, read_copy, whole
from reconciler.sandbox.pagerduty.directory import AGENTS, BOT
from reconciler.sandbox.wire import Json, parse_time

_FOLLOWED = "is followed from now on"
_BEFORE = 60.0
"""An alert that was created this many seconds before it was put in was there before everything."""


@dataclass(frozen=True)
class Case:
    """An alert that a person created. `acts` are people's, oldest first; `pages` those of its incidents.

    `targets` are incidents that its own were merged into; `shared` when another alert's were merged there, too.
    """

    alert: Json
    incidents: tuple[Json, ...]
    acts: tuple[Json, ...]
    pages: tuple[Json, ...]
    targets: tuple[Json, ...] = ()
    shared: bool = False

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"alert #{self.alert['tinyId']}"

    @property
    def incident(self) -> Json | None:
        """Its first incident."""
        return self.incidents[0] if self.incidents else None

    @property
    def was_there_before(self) -> bool:
        """Whether it was put in with a creation time in the past."""
        created = self.acts_of("opsgenie", "create")
        return _seconds(self.alert["createdAt"], created[0]["at"]) > _BEFORE

    @property
    def is_deleted(self) -> bool:
        """Whether the alert was deleted: nothing can be written to it any more."""
        return bool(self.alert.get("deleted"))

    @cached_property
    def by_hand(self) -> set[str]:
        """Ids of its incidents that people made."""
        return {act["incident_id"] for act in self.acts_of("pagerduty", "create")}

    @cached_property
    def _unfollowed(self) -> set[str]:
        """Incidents whose acts need not be mirrored: a twin that is only named, and what was merged into."""
        twins = self.by_hand if len(self.incidents) > 1 else set()
        return {incident["id"] for incident in self.targets} | twins

    def is_optional(self, act: Json) -> bool:
        """Whether an engineer's act may be mirrored and need not be."""
        return self.is_deleted or act["incident_id"] in self._unfollowed or self.is_left(act)

    def is_left(self, act: Json) -> bool:
        """Whether it was done to an incident after that was merged away, where the alert says what is followed."""
        merges = self.acts_of("pagerduty", "merge")
        earlier = (m for m in merges if m["incident_id"] == act["incident_id"] and int(m["seq"]) < int(act["seq"]))
        return any(earlier) and any(_FOLLOWED in note for note in self.alert_notes)

    @cached_property
    def births(self) -> int:
        """How many incidents were born acknowledged by the automation user: each may be un-acknowledged again."""
        return sum(_is_born_acknowledged(incident) for incident in self.incidents)

    @cached_property
    def bot_notes(self) -> list[str]:
        """What the automation user wrote on the incidents."""
        incidents = (*self.incidents, *self.targets)
        return [n["content"] for i in incidents for n in i["notes"] if n["user"]["id"] == BOT.id]

    @cached_property
    def bot_copies(self) -> list[Copy]:
        """Those of them that are copies from Opsgenie."""
        return whole(c for text in self.bot_notes if (c := read_copy(text)) and c.side == "Opsgenie")

    @cached_property
    def alert_notes(self) -> list[str]:
        """The alert's notes, whoever wrote them."""
        return [note["note"] for note in self.alert["notes"]]

    @cached_property
    def alert_copies(self) -> list[Copy]:
        """Those of them that are copies from PagerDuty."""
        return whole(c for text in self.alert_notes if (c := read_copy(text)) and c.side == "PagerDuty")

    def acts_of(self, side: str, *verbs: str) -> list[Json]:
        """People's acts on one side."""
        return [act for act in self.acts if act["side"] == side and act["verb"] in verbs]

    def incident_log(self, kind: str) -> Iterator[Json]:
        """Log entries of one kind."""
        return (line for incident in self.incidents for line in incident["log_entries"] if line["type"] == kind)

    def log_lines(self, verb: str, who: str | None = None) -> list[Json]:
        """What the API did to the alert, in somebody's name or anybody's."""
        lines = [
            line for line in self.alert["logs"] if "via API" in line["log"] and WORDS[verb].search(line["log"])
        ]
        return [line for line in lines if who is None or _is_owner(line["owner"], who)]

    def is_excused(self, act: Json, verb: str, undone_by: tuple[str, ...], grace: float) -> bool:
        """Whether an engineer's act need not show on the alert.

        It was in that state already or came into it by somebody else soon after, it was or was soon closed, or
        the act was soon undone.
        """
        if self.is_optional(act) or self._acknowledged_at(act["at"]) == (verb == "acknowledge"):
            return True
        if any(_seconds(act["at"], close["at"]) < grace for close in self.acts_of("opsgenie", "close")):
            return True
        undone = (a["at"] for a in self.acts_of("pagerduty", *undone_by) if a["seq"] > act["seq"])
        by_others = (
            line["createdAt"] for line in self.alert["logs"]
            if WORDS[verb].search(line["log"]) and letters(line["owner"]) != letters(act["who"])
        )  # fmt: skip
        return any(0 <= _seconds(act["at"], at) < grace for at in (*undone, *by_others))

    def _acknowledged_at(self, at: str) -> bool:
        """Whether the alert was acknowledged just before a time, from its log."""
        state = False
        for line in self.alert["logs"]:
            if _seconds(line["createdAt"], at) <= 0:
                break
            if WORDS["acknowledge"].search(line["log"]):
                state = True
            elif WORDS["unacknowledge"].search(line["log"]) or line["log"] == "Snooze ended":
                state = False
        return state


def cases(state: Json) -> Iterator[Case]:
    """Every alert that a person created."""
    created = {
        act["alert_id"] for act in state["journal"] if act["verb"] == "create" and act["side"] == "opsgenie"
    }
    incidents: dict[str, list[Json]] = {}
    for incident in state["pagerduty"]["incidents"]:
        incidents.setdefault(incident["incident_key"] or "", []).append(incident)
    by_id = {incident["id"]: incident for incident in state["pagerduty"]["incidents"]}
    merged: dict[str, set[str]] = {}
    for key, own in incidents.items():
        for target in _targets(own, by_id):
            merged.setdefault(target["id"], set()).update({key, target["incident_key"] or key})
    acts: dict[str, list[Json]] = {}
    for act in state["journal"]:
        acts.setdefault(act["alert_id"], []).append(act)
    pages: dict[str, list[Json]] = {}
    for page in state["pagerduty"]["pages"]:
        pages.setdefault(page["incident_id"], []).append(page)
    for alert in state["opsgenie"]["alerts"]:
        if alert["id"] in created:
            own = incidents.get(alert["id"], [])
            targets = _targets(own, by_id)
            ids = {incident["id"] for incident in targets}
            paged = [page for incident in (*own, *targets) for page in pages.get(incident["id"], [])]
            journal = state["journal"] if ids else ()
            later = [a for a in journal if a["incident_id"] in ids and a["alert_id"] != alert["id"]]
            all_acts = sorted([*acts[alert["id"]], *later], key=lambda act: int(act["seq"]))
            shared = any(of != alert["id"] for target in ids for of in merged.get(target, ()))
            yield Case(alert, tuple(own), tuple(all_acts), tuple(paged), targets, shared)


def _targets(incidents: list[Json], by_id: dict[str, Json]) -> tuple[Json, ...]:
    """What these were merged into, and what that was merged into, and so on."""
    found: dict[str, Json] = {}
    left = list(incidents)
    while left:
        reason = left.pop()["resolve_reason"] or {}
        target = by_id.get((reason.get("incident") or {}).get("id", ""))
        if target is not None and target["id"] not in found and target not in incidents:
            found[target["id"]] = target
            left.append(target)
    return tuple(found.values())


def _is_born_acknowledged(incident: Json) -> bool:
    """Whether the acknowledgement came with the trigger, from the one who made it."""
    kinds = ("trigger_log_entry", "acknowledge_log_entry")
    lines = [line for line in incident["log_entries"] if line["type"] in kinds][:2]
    agents = [(line.get("agent") or {}).get("id") for line in lines]
    return (
        [line["type"] for line in lines] == list(kinds)
        and agents == [BOT.id, BOT.id]
        and lines[0]["created_at"] == lines[1]["created_at"]
    )


def _is_owner(owner: str, who: str) -> bool:
    """Whether a log line is in somebody's name. What is no person may be named in more words."""
    if any(who == agent.name for agent in AGENTS.values()):
        return letters(who) in letters(owner)
    return letters(who) == letters(owner)


def _seconds(earlier: str, later: str) -> float:
    return (parse_time(later) - parse_time(earlier)).total_seconds()
