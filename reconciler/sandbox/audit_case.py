"""One alert, its incident and what people did about them: what the audit looks at."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from reconciler.sandbox.audit_text import WORDS, Copy, letters, read_copy
from reconciler.sandbox.pagerduty_state import BOT
from reconciler.sandbox.wire import Json, parse_time

_BEFORE = 60.0
"""An alert that was created this many seconds before it was put in was there before everything."""


@dataclass(frozen=True)
class Case:
    """An alert that a person created. `acts` are people's, oldest first; `pages` those of its incidents."""

    alert: Json
    incidents: tuple[Json, ...]
    acts: tuple[Json, ...]
    pages: tuple[Json, ...]

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

    @cached_property
    def bot_notes(self) -> list[str]:
        """What the automation user wrote on the incidents."""
        return [n["content"] for i in self.incidents for n in i["notes"] if n["user"]["id"] == BOT.id]

    @cached_property
    def bot_copies(self) -> list[Copy]:
        """Those of them that are copies from Opsgenie."""
        return [copy for text in self.bot_notes if (copy := read_copy(text)) and copy.side == "Opsgenie"]

    @cached_property
    def alert_notes(self) -> list[str]:
        """The alert's notes, whoever wrote them."""
        return [note["note"] for note in self.alert["notes"]]

    @cached_property
    def alert_copies(self) -> list[Copy]:
        """Those of them that are copies from PagerDuty."""
        return [copy for text in self.alert_notes if (copy := read_copy(text)) and copy.side == "PagerDuty"]

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
        return [line for line in lines if who is None or letters(who) == letters(line["owner"])]

    def is_excused(self, act: Json, verb: str, undone_by: tuple[str, ...], grace: float) -> bool:
        """Whether an engineer's act need not show on the alert.

        It was in that state already or came into it by somebody else soon after, it was or was soon closed, or
        the act was soon undone.
        """
        if self._acknowledged_at(act["at"]) == (verb == "acknowledge"):
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
    acts: dict[str, list[Json]] = {}
    for act in state["journal"]:
        acts.setdefault(act["alert_id"], []).append(act)
    pages: dict[str, list[Json]] = {}
    for page in state["pagerduty"]["pages"]:
        pages.setdefault(page["incident_id"], []).append(page)
    for alert in state["opsgenie"]["alerts"]:
        if alert["id"] in created:
            own = incidents.get(alert["id"], [])
            paged = [page for incident in own for page in pages.get(incident["id"], [])]
            yield Case(alert, tuple(own), tuple(acts[alert["id"]]), tuple(paged))


def _seconds(earlier: str, later: str) -> float:
    return (parse_time(later) - parse_time(earlier)).total_seconds()
