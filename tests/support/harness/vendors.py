"""The state of both vendors as the sandbox has it, and faults of theirs. Reading it costs no API request."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

from reconciler.sandbox.app import Reply, Sandbox
from reconciler.sandbox.audit import audit
from reconciler.sandbox.faults import from_json
from reconciler.sandbox.server import RunningSandbox
from reconciler.sandbox.wire import Request, Response
from tests.support.harness.commands import PATIENCE, Commands, Json

When = Callable[[str, Request], bool]
Change = Callable[[Request, Response], Response]


FEEDS = ("/v2/alerts", "/v1/alerts", "/log_entries")
"""Paths of the two lists that are polled."""


class Vendors(Commands):
    """Alerts, incidents and requests, read from the sandbox itself; its faults and settings."""

    running: RunningSandbox
    sandbox: Sandbox

    # -- state --

    def state(self) -> Json:
        """The whole state of both sides."""
        with self.sandbox.lock:
            return self.sandbox.state()

    def alert(self, alert_id: str) -> Json:
        """One alert with its notes and logs."""
        found: Json = next(alert for alert in self.state()["opsgenie"]["alerts"] if alert["id"] == alert_id)
        return found

    def incidents(self, alert_id: str) -> list[Json]:
        """The incidents whose key is the alert's id."""
        return [i for i in self.state()["pagerduty"]["incidents"] if i["incident_key"] == alert_id]

    def incident(self, alert_id: str) -> Json:
        """The alert's only incident."""
        (incident,) = self.incidents(alert_id)
        return incident

    def alert_notes(self, alert_id: str) -> list[str]:
        """Texts of the alert's notes, oldest first."""
        return [note["note"] for note in sorted(self.alert(alert_id)["notes"], key=lambda n: n["offset"])]

    def incident_notes(self, alert_id: str) -> list[str]:
        """Texts of the incident's notes, oldest first."""
        notes = self.incident(alert_id)["notes"]
        return [note["content"] for note in sorted(notes, key=lambda n: n["created_at"])]

    def is_paged(self, alert_id: str) -> bool:
        """Whether the alert has an incident."""
        with self.sandbox.lock:
            return bool(self.sandbox.pagerduty.incidents.by_key(alert_id))

    def is_noted(self, alert_id: str, words: str) -> bool:
        """Whether a note of the alert ends with these words."""
        with self.sandbox.lock:
            self.sandbox.opsgenie.settle()
            return any(note.text.endswith(words) for note in self.sandbox.opsgenie.find(alert_id).notes)

    def is_told(self, alert_id: str, words: str) -> bool:
        """Whether a note of the alert's incident ends with these words."""
        with self.sandbox.lock:
            return any(note.content.endswith(words) for note in self.sandbox.pagerduty.find(alert_id).notes)

    def audit(self) -> Json:
        """The findings of the sandbox's audit; empty if nothing is wrong."""
        return {name: findings for name, findings in audit(self.state()).as_json().items() if findings}

    def assert_good(self) -> None:
        """The audit finds nothing lost, done twice, looping or forbidden."""
        assert self.audit() == {}, self.log()

    # -- requests --

    def seq(self) -> int:
        """The number of the newest request to either API."""
        return self.sandbox.journal._calls_seen

    def calls(self, since: int = 0) -> list[Json]:
        """API requests with a higher number."""
        with self.sandbox.lock:
            return self.sandbox.journal.calls_json(since)

    def writes(self, since: int = 0) -> list[Json]:
        """Those of them that write."""
        return [call for call in self.calls(since) if call["write"]]

    def pass_cycles(self, count: int, patience: float = PATIENCE) -> list[Json]:
        """Wait for this many complete polls of the alerts' list; returns the requests meanwhile."""
        since = self.seq()
        for done in range(count + 2):  # the first may have begun before, the last has only begun
            self.until(lambda done=done: self.polls(since) > done, f"poll {done} of {count}", patience)  # type: ignore[misc]
        return self.calls(since)

    def assert_quiet(self, cycles: int = 50) -> None:
        """This many further polls cause no write."""
        written = [call for call in self.pass_cycles(cycles) if call["write"]]
        assert written == [], f"{written}\n{self.log()}"

    def rest(self, seconds: float = 0.7) -> None:
        """Wait until no API has had a request for a while, except for the polls of both change feeds."""
        seen, since = self.seq(), time.monotonic()
        last = since + PATIENCE
        while time.monotonic() < since + seconds:
            assert time.monotonic() < last, f"the reconciler never rests\n{self.log()}"
            time.sleep(0.02)
            calls, seen = self.calls(seen), self.seq()
            if any(not call["path"].endswith(FEEDS) for call in calls):
                since = time.monotonic()

    def polls(self, since: int = 0) -> int:
        """How many times the alerts' list was polled after this request."""
        return sum(_is_feed(call) for call in self.calls(since))

    # -- settings and faults --

    def settings(self, **changes: object) -> None:
        """Change settings of the sandbox."""
        with self.sandbox.lock:
            self.sandbox.change(changes)

    def faults(self, *rows: Json) -> None:
        """Add faults: see `reconciler.sandbox.faults`."""
        with self.sandbox.lock:
            for row in rows:
                self.sandbox.faults.add(from_json(row))

    def no_faults(self) -> int:
        """Remove every fault; returns how many had not fired yet."""
        with self.sandbox.lock:
            left = len(self.sandbox.faults.as_json())
            self.sandbox.faults.clear()
        return left

    def answers(self, when: When, answer: Response) -> Callable[[], None]:
        """From now on these calls get that answer and have no effect. Returns a function that ends this."""
        real = self.sandbox.answer
        return self._instead(lambda vendor, request: answer if when(vendor, request) else real(vendor, request))

    def bend(self, when: When, change: Change) -> Callable[[], None]:
        """From now on answers to these calls are changed, not their effects. Returns a function that ends this."""
        real = self.sandbox.answer

        def bent(vendor: str, request: Request) -> Response:
            given = real(vendor, request)
            return change(request, given) if when(vendor, request) else given

        return self._instead(bent)

    def _instead(self, handle: Callable[[str, Request], Response]) -> Callable[[], None]:
        real = self.sandbox.answer
        self.sandbox.answer = handle  # type: ignore[method-assign, assignment]

        def end() -> None:
            self.sandbox.answer = real  # type: ignore[method-assign]

        return end

    @contextmanager
    def held(self, path: str) -> Iterator[Event]:
        """Requests for this path are not answered inside the block; the event is set by the first one."""
        asked, released = Event(), Event()
        handle = self.sandbox.handle

        def hold(request: Request) -> Reply:
            if request.path == path:
                asked.set()
                released.wait(PATIENCE)
            return handle(request)

        self.sandbox.handle = hold  # type: ignore[method-assign]
        try:
            yield asked
        finally:
            released.set()
            self.sandbox.handle = handle  # type: ignore[method-assign]


def _is_feed(call: Json) -> bool:
    """Whether a call asks for the newest alerts: of Opsgenie's list, or of JSM's."""
    query = call["query"]
    if call["path"].endswith("/v1/alerts"):
        return query.get("order") == ["desc"] and "status" not in str(query.get("query", ""))
    return call["path"] == "/v2/alerts" and "sort" in query


def edited(response: Response, edit: Callable[[Any], object]) -> Response:
    """The same answer after its document was edited in place."""
    document = json.loads(response.body)
    edit(document)
    return replace(response, body=json.dumps(document).encode())


def is_call(vendor: str, method: str, *, starts: str = "", ends: str = "") -> When:
    """Calls of one vendor by method and path."""
    return lambda to, request: (
        (to, request.method) == (vendor, method)
        and request.path.startswith(starts)
        and request.path.endswith(ends)
    )


def never(shown: Callable[[], bool], seconds: float, what: str = "") -> None:
    """Assert that a condition does not hold at any time for this many seconds."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        assert not shown(), f"seen: {what}"
        time.sleep(0.05)
