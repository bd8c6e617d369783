"""Log entries as the API shows them, where a setting changes that. The control API shows them unchanged."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.sandbox.pagerduty.directory import BOT, SERVICE_ID, SERVICES
from reconciler.sandbox.pagerduty.state import LogEntry
from reconciler.sandbox.settings import SandboxSettings

_UNACKNOWLEDGED = "unacknowledge_log_entry"


def told(lines: Iterable[LogEntry], settings: SandboxSettings) -> Iterator[LogEntry]:
    """The log entries that there are, each with the agent and the text that it is shown with."""
    for line in lines:
        agent = _agent_setting(line, settings)
        if agent == "none":
            continue
        service = SERVICES[line.incident.service_id if line.incident else SERVICE_ID]
        shown = {"user": line.agent, "service": service, "no_agent": None}[agent]
        yield replace(line, agent=shown, channel=_channel(line, settings))


def _agent_setting(line: LogEntry, settings: SandboxSettings) -> str:
    if line.agent == BOT:
        return settings.api_log_agent
    is_by_hand = line.channel["type"] == "website" and line.kind == _UNACKNOWLEDGED
    return settings.manual_unacknowledge_log if is_by_hand else "user"


def _channel(line: LogEntry, settings: SandboxSettings) -> dict[str, object]:
    if line.channel["type"] != "note" or not settings.note_log_cut:
        return line.channel
    return line.channel | {"summary": line.channel["summary"][: settings.note_log_cut]}
