"""What changed the state of an alert or an incident, read from their logs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.wire import Json, parse_time

_PRIORITY = re.compile(r"Alert priority changed from \[(P\d)\] to \[(P\d)\]")
SNOOZE_ENDED = "Snooze ended"
_UNNAMED = "via JSM"
"""What the product does in JSM without the integration's key bears the automation user's name."""


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
    """One change. `who` is empty for a machine, `incident` is an id, `by_us` marks what the product did.

    Where there are two products on the alerts' side, `product` is the one in which it was done, and `elsewhere` is
    when it changed the alert in the other one, None if it never did.
    """

    at: datetime
    what: Did
    who: str = ""
    incident: str = ""
    by_us: bool = False
    detail: str = ""
    product: str = ""
    elsewhere: datetime | None = None

    @property
    def is_unnamed(self) -> bool:
        """Whether the product did it in the automation user's name instead of an engineer's."""
        return self.by_us and not self.who


def alert_events(alert: Json) -> Iterator[Event]:
    """People's changes of the alert's state, and everything that the product did to it, effective or not."""
    if "views" not in alert:
        yield from (_event(line, did) for line, did in _changes(alert["logs"]))
        return
    changes = {product: list(_changes(logs)) for product, logs in alert["views"].items()}
    found = [line for lines in changes.values() for line, _ in lines]
    elsewhere = {line["copy_of"]: parse_time(line["createdAt"]) for line in found if "copy_of" in line}
    for product, lines in changes.items():
        for line, did in lines:
            if "copy_of" not in line:
                yield replace(_event(line, did), product=product, elsewhere=elsewhere.get(line["offset"]))


def _changes(logs: Sequence[Json]) -> Iterator[tuple[Json, Did]]:
    """The log entries of state changes, without people's acts that changed no state."""
    acknowledged = False
    for line in logs:
        did = _logged(line["log"])
        if did is None:
            continue
        if _is_ours(line) or did is Did.ALERT_CLOSED or acknowledged != (did is Did.ALERT_ACKNOWLEDGED):
            yield line, did
        if did is not Did.ALERT_CLOSED:
            acknowledged = did is Did.ALERT_ACKNOWLEDGED


def _event(line: Json, did: Did) -> Event:
    is_nobodys = line["log"] == SNOOZE_ENDED or _UNNAMED in line["log"]
    return Event(parse_time(line["createdAt"]), did, "" if is_nobodys else line["owner"], by_us=_is_ours(line))


def _is_ours(line: Json) -> bool:
    return "via API" in line["log"] or _UNNAMED in line["log"]


def is_by_account(alert: Json) -> bool:
    """Whether the product has written to the alert in the automation user's name."""
    return any(_UNNAMED in line["log"] for line in alert["logs"])


def priority_events(alert: Json) -> Iterator[Event]:
    """Changes of the alert's priority, each with the old and the new one as its detail."""
    for line in alert["logs"]:
        found = _PRIORITY.match(line["log"])
        if found and found[1] != found[2]:
            at, detail = parse_time(line["createdAt"]), f"from {found[1]} to {found[2]}"
            elsewhere = parse_time(line["elsewhere"]) if line.get("elsewhere") else None
            yield Event(
                at, Did.ALERT_PRIORITY, line["owner"], detail=detail, product=line.get("product", ""),
                elsewhere=elsewhere,
            )  # fmt: skip


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
    if "unacknowledged" in log or log == SNOOZE_ENDED:
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
