"""What changed the state of an alert or an incident, read from their logs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.wire import Json, parse_time

_PRIORITY = re.compile(r"Alert priority changed from \[(P\d)\] to \[(P\d)\]")
_SNOOZE_ENDED = "Snooze ended"


class Did(StrEnum):
    """Kinds of events."""

    ALERT_ACKNOWLEDGED = "alert acknowledged"
    ALERT_UNACKNOWLEDGED = "alert unacknowledged"
    ALERT_CLOSED = "alert closed"
    ALERT_PRIORITY = "alert priority changed"
    ACKNOWLEDGED = "incident acknowledged"
    UNACKNOWLEDGED = "incident unacknowledged"
    TIMED_OUT = "incident's acknowledgement by an engineer timed out"
    OURS_TIMED_OUT = "incident's acknowledgement by the automation user timed out"
    OURS_ENDED = "incident's acknowledgement ended when the automation user raised the urgency"
    RESOLVED = "incident resolved"
    REOPENED = "incident reopened"

    @property
    def is_on_alert(self) -> bool:
        """Whether it happens in Opsgenie."""
        return self.value.startswith("alert")


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `who` is empty for a machine, `incident` is an id, `by_us` marks what the product did."""

    at: datetime
    what: Did
    who: str = ""
    incident: str = ""
    by_us: bool = False
    detail: str = ""


def alert_events(alert: Json) -> Iterator[Event]:
    """People's changes of the alert's state, and everything that the product did to it, effective or not."""
    acknowledged = False
    for line in alert["logs"]:
        did, by_us = _logged(line["log"]), "via API" in line["log"]
        if did is None:
            continue
        if by_us or did is Did.ALERT_CLOSED or acknowledged != (did is Did.ALERT_ACKNOWLEDGED):
            who = "" if line["log"] == _SNOOZE_ENDED else line["owner"]
            yield Event(parse_time(line["createdAt"]), did, who, by_us=by_us)
        if did is not Did.ALERT_CLOSED:
            acknowledged = did is Did.ALERT_ACKNOWLEDGED


def priority_events(alert: Json) -> Iterator[Event]:
    """Changes of the alert's priority, each with the old and the new one as its detail."""
    for line in alert["logs"]:
        found = _PRIORITY.match(line["log"])
        if found and found[1] != found[2]:
            at, detail = parse_time(line["createdAt"]), f"from {found[1]} to {found[2]}"
            yield Event(at, Did.ALERT_PRIORITY, line["owner"], detail=detail)


def incident_events(incident: Json, silent: Iterable[Json] = ()) -> Iterator[Event]:
    """People's and machines' changes of the incident's state, and everything that the product did to it.

    `silent` are acts of people that triggered the incident again without a log entry.
    """
    status, held = "triggered", set[str]()
    quiet = [{"type": "assign_log_entry", "created_at": act["at"], "is_silent": True} for act in silent]
    lines = sorted([*incident["log_entries"], *quiet], key=_second) if quiet else incident["log_entries"]
    for line in lines:
        agent, did = agent_of(line), None
        by_us = agent == BOT.id
        match line["type"].removesuffix("_log_entry"):
            case "acknowledge":
                did = Did.ACKNOWLEDGED if by_us or status != "acknowledged" or agent not in held else None
                status, held = "acknowledged", {*held, agent}
            case "unacknowledge" | "assign" | "escalate":
                did = _ended(line, held) if by_us or status == "acknowledged" else None
                status, held = "triggered", set()
            case "urgency_change" if by_us and status == "acknowledged":
                did, by_us = Did.OURS_ENDED, False
                status, held = "triggered", set()
            case "resolve" if status != "resolved":
                did, status, held = Did.RESOLVED, "resolved", set()
            case "reopen":
                did, status, held = Did.REOPENED, "triggered", set()
        if did is not None:
            who = "" if did is Did.OURS_ENDED else _actor(line)
            yield Event(parse_time(line["created_at"]), did, who, incident["id"], by_us)


def agent_of(line: Json) -> str:
    """The id of the user or service that caused a log entry; empty if the entry has no agent."""
    return str((line.get("agent") or {}).get("id", ""))


def _logged(log: str) -> Did | None:
    if "unacknowledged" in log or log == _SNOOZE_ENDED:
        return Did.ALERT_UNACKNOWLEDGED
    if "acknowledged" in log:
        return Did.ALERT_ACKNOWLEDGED
    return Did.ALERT_CLOSED if "closed" in log else None


def _ended(line: Json, held: set[str]) -> Did:
    """How an acknowledgement ended, by who held it."""
    if _actor(line) or line.get("is_silent"):
        return Did.UNACKNOWLEDGED
    return Did.OURS_TIMED_OUT if held == {BOT.id} else Did.TIMED_OUT


def _actor(line: Json) -> str:
    """The name of the user or service that caused a log entry; empty for a timeout."""
    is_timeout = (line.get("channel") or {}).get("type") == "timeout"
    return "" if is_timeout else str((line.get("agent") or {}).get("summary", ""))


def _second(line: Json) -> datetime:
    return parse_time(line["created_at"]).replace(microsecond=0)
