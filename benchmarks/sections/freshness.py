"""The time from an act to its effect on the other side, by kind of act: the installed daemon over HTTP.

Several alerts go through their acts at the same time, at random moments of the interval. An act counts as mirrored
when the other vendor has carried the write out. PagerDuty allows 960 requests a minute, as in reality.
"""

import hashlib
import hmac
import json
import random
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any

import requests

from benchmarks.figures import Curve, Figure, Finding, at_most, share
from benchmarks.live import Live, Written, live
from benchmarks.process import daemon
from benchmarks.scale import Scale
from reconciler.sandbox.settings import SandboxSettings

ANA, JANE = "Ana Ruiz", "Jane Doe"
SECRET = "a-webhook-secret"  # noqa: S105 - of this sandbox
INTEGRATION = "26aaa576-0434-4b17-bc39-602a02fe417c"
PATIENCE = 60.0
SECTION = "Freshness"


@dataclass(frozen=True, slots=True)
class Step:
    """One act on an alert, and the path of its mirrored write: `{}` is the incident's or alert's id."""

    name: str
    side: str
    verb: str
    path: str
    contains: str = ""
    text: str = ""


LIFE = (
    Step("alert raised", "opsgenie", "create", "/incidents", "incident_key"),
    Step("customer's note", "opsgenie", "add_note", "/incidents/{}/notes", "any news", "any news?"),
    Step("engineer's note", "pagerduty", "add_note", "/v2/alerts/{}/notes", "on it", "on it"),
    Step("engineer acknowledges", "pagerduty", "acknowledge", "/v2/alerts/{}/acknowledge"),
    Step("engineer unacknowledges", "pagerduty", "unacknowledge", "/v2/alerts/{}/unacknowledge"),
    Step("customer acknowledges", "opsgenie", "acknowledge", "/incidents/{}", "acknowledged"),
    Step(
        "customer unacknowledges", "opsgenie", "unacknowledge", "/incidents/{}/notes", "unacknowledged the alert"
    ),
    Step("customer closes", "opsgenie", "close", "/incidents/{}/notes", "closed the alert"),
    Step("engineer resolves", "pagerduty", "resolve", "/v2/alerts/{}/notes", "resolved"),
)
"""In an order in which each act is possible once the one before is mirrored."""


class Walker:
    """Takes one alert at a time through its acts."""

    def __init__(self, here: Live, hint: Callable[[str, str], None], chance: random.Random, spread: float) -> None:
        self.here = here
        self.hint = hint
        self.chance = chance
        self.spread = spread
        self.alert = ""
        self.step = 0
        self.acted = 0.0
        self.due = time.monotonic() + chance.uniform(0, spread)

    @property
    def next(self) -> Step:
        """The act that is due or that is being mirrored."""
        return LIFE[self.step]

    def act(self) -> None:
        """Carry out the act, and send its webhook where webhooks are on."""
        step, sandbox = self.next, self.here.sandbox
        side = sandbox.opsgenie if step.side == "opsgenie" else sandbox.pagerduty
        with sandbox.lock:
            if step.verb == "create":
                self.alert = sandbox.opsgenie.create_alert("disk is full", user=ANA)["id"]
            else:
                own = self.alert if step.side == "opsgenie" else self._incident()
                who = ANA if step.side == "opsgenie" else JANE
                getattr(side, step.verb)(own, who, *([step.text] if step.text else []))
            own = self.alert if step.side == "opsgenie" else self._incident()
        self.acted = time.monotonic()
        self.due = float("inf")
        self.hint(step.side, own)

    def awaits(self, write: Written) -> bool:
        """Whether this is the write that mirrors the act."""
        if not self.acted:
            return False
        if self.next.verb == "create":
            return write.path == "/incidents" and self.alert in write.body
        ours = {self.next.path.format(self.alert), self.next.path.format(self._incident())}
        return write.path in ours and self.next.contains in write.body

    def go_on(self) -> None:
        """Schedule the next act at a random moment."""
        self.acted = 0.0
        self.step = (self.step + 1) % len(LIFE)
        self.due = time.monotonic() + self.chance.uniform(0.3, 0.3 + self.spread)

    def _incident(self) -> str:
        return self.here.sandbox.pagerduty.find(self.alert).now.id


def run(scale: Scale, folder: Path) -> Iterator[Finding]:
    """Three daemons side by side: intervals of 1 s and 10 s, and 10 s with webhooks."""
    seconds, long = scale.of(90, 5), float(scale.of(10, 3))
    found: dict[str, dict[str, list[float]]] = {}
    plans = {"1 s": (1.0, 5, False), f"{long:g} s": (long, scale.of(30, 10), False), "fast path": (long, 3, True)}

    def watch(name: str, interval: float, walkers: int, webhooks: bool) -> None:
        found[name] = _watch(folder / name.replace(" ", ""), interval, walkers, webhooks, seconds)

    threads = [threading.Thread(target=watch, args=(name, *plan)) for name, plan in plans.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    limits: dict[str, tuple[float | None, float]] = {"1 s": (0.8, 1.6), "fast path": (None, 0.3)}
    for name in plans:
        yield from _figures(name, found[name], limits.get(name))
    curves = {name: _distribution([at for some in times.values() for at in some]) for name, times in found.items()}
    yield Curve("freshness", "From a person's act to its mirrored write", "seconds", "share of acts in %", curves)


def _figures(
    name: str, times: dict[str, list[float]], limits: tuple[float | None, float] | None
) -> Iterator[Finding]:
    everything = [at for some in times.values() for at in some]
    what = f"{len(everything)} acts"
    label = name if name == "fast path" else f"interval {name}"
    middle, worst = share(everything, 0.5), share(everything, 0.99)
    if limits and limits[0]:
        yield at_most(SECTION, f"{label}, p50", middle, limits[0], "s", note=what)
    else:
        yield Figure(SECTION, f"{label}, p50", middle, "s", note=what)
    if limits:
        yield at_most(SECTION, f"{label}, p99", worst, limits[1], "s", note=what)
    else:
        yield Figure(SECTION, f"{label}, p99", worst, "s", note=what)
    for step in LIFE:
        some = times.get(step.name, [])
        if some and name != "fast path":
            note = f"p99 {share(some, 0.99):.2f} s of {len(some)}"
            yield Figure(SECTION, f"{label}, {step.name}, p50", share(some, 0.5), "s", note=note)


def _watch(folder: Path, interval: float, walkers: int, webhooks: bool, seconds: float) -> dict[str, list[float]]:
    """Times by kind of act."""
    folder.mkdir()
    chance = random.Random(1)
    times: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        here = stack.enter_context(live(SandboxSettings(acknowledgement_timeout=None)))
        given = here.environment(folder / "fresh.db", POLL_INTERVAL_SECONDS=str(interval))
        hint: Callable[[str, str], None] = _no_hint
        if webhooks:
            port = _free_port()
            given |= HOOKS | {"HTTP_LISTEN": f"127.0.0.1:{port}"}
            hint = partial(_post, f"http://127.0.0.1:{port}")
        stack.enter_context(daemon(given, folder))
        here.until_polled()
        time.sleep(1.0)
        people = [Walker(here, hint, chance, interval if not webhooks else 1.0) for _ in range(walkers)]
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            for walker in people:
                if walker.due <= now < end:
                    walker.act()
            waiting = [walker for walker in people if walker.acted]
            if now >= end and (not waiting or now > end + PATIENCE):
                assert not waiting, f"never mirrored: {waiting[0].next.name}"
                return times
            soonest = min([walker.due for walker in people] + [now + 0.05])
            try:
                write = here.writes.get(timeout=max(0.001, soonest - now))
            except Empty:
                continue
            for walker in waiting:
                if walker.awaits(write):
                    times[walker.next.name].append(write.at - walker.acted)
                    walker.go_on()
                    break


HOOKS = {"PAGERDUTY_WEBHOOK_SECRET": SECRET, "OPSGENIE_INTEGRATION_ID": INTEGRATION}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def _no_hint(_side: str, _own: str) -> None:
    """Send no webhook."""


def _post(url: str, side: str, own: str) -> None:
    """Send the vendor's webhook immediately."""
    if side == "opsgenie":
        body: dict[str, Any] = {"action": "Create", "integrationId": INTEGRATION, "alert": {"alertId": own}}
        requests.post(f"{url}/ops-webhook", json=body, timeout=5).raise_for_status()
        return
    event = {"event": {"event_type": "incident.acknowledged", "data": {"id": own, "type": "incident"}}}
    raw = json.dumps(event).encode()
    signed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-PagerDuty-Signature": f"v1={signed}", "Content-Type": "application/json"}
    requests.post(f"{url}/pd-webhook", data=raw, headers=headers, timeout=5).raise_for_status()


def _distribution(times: list[float]) -> list[tuple[float, float]]:
    ranked = sorted(times)
    return [(round(at, 3), round(100 * number / len(ranked), 1)) for number, at in enumerate(ranked, 1)]
