"""Time from an alert to its page while something else is wrong: the installed daemon over HTTP, trial by trial.

`POLL_INTERVAL_SECONDS` is 1 and PagerDuty's rate limit is the real one, 960 a minute. In each trial several alerts
are raised at random moments while the trouble lasts, or right after the outage; the time runs from the alert to
the moment the sandbox has carried out the `POST /incidents` for it. An alert without a page counts with the
longest time that is waited for.

An outage here lasts 45 s at `SWEEP_INTERVAL_SECONDS=30`, so that every open pair becomes due for the sweep during
it, as within an hour at the default of 300 s. Nothing here depends on how the product works inside, so the same
file measures a version from before the work queue: `python -m benchmarks.sections.time_to_page FILE [TRIAL …]`.
"""

import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from benchmarks.figures import Bars, Figure, Finding, at_least, at_most, share
from benchmarks.live import Live, live
from benchmarks.process import daemon
from benchmarks.scale import Scale, scale
from reconciler.sandbox.faults import from_json
from reconciler.sandbox.settings import SandboxSettings

SECTION = "Time to page"
ANA, JANE = "Ana Ruiz", "Jane Doe"
BEFORE = Path(__file__).parent.parent / "results" / "time_to_page_before.json"
TARGET = 3.0
PER_MINUTE, FAST = 960, 60_000
SWEEP = 30.0
LONGEST = 240.0
MINUTE, MANY = 61.0, 100
TWO_REQUESTS = 2.0
LEAST_POLLS = 0.8
REFUSED = 400
FEEDS = {"opsgenie": {"/v2/alerts"}, "pagerduty": {"/log_entries", "/incidents"}}
"""Paths of the requests that poll for news, one of them a cycle."""

Act = Callable[["Trial"], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What one trial measured: `seconds` are the times to page.

    For the healthy side while the other is away: `requests` a poll, None if there was none, and `polls` a second.

    `faults` counts the calls that failed or were slow: it shows that the trouble was there.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    missing: int = 0
    requests: float | None = None
    faults: int = 0
    polls: float | None = None

    @property
    def median(self) -> float:
        """The time that half of the pages take at most."""
        return share(self.seconds, 0.5)

    @property
    def slowest(self) -> float:
        """The 99th percentile: of so few pages, the slowest."""
        return share(self.seconds, 0.99)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong while alerts are raised.

    `pairs` are open before it begins; `begin` brings it about, `each_second` keeps it going. `away` is the vendor
    that has an outage first.
    """

    name: str
    pairs: int = 0
    begin: Act | None = None
    each_second: Act | None = None
    away: str = ""
    settle: float = 3.0


class Trial:
    """A daemon, a sandbox and the open pairs of one trial."""

    def __init__(self, here: Live, trouble: Trouble) -> None:
        self.here = here
        self.trouble = trouble
        self.alerts: list[str] = []
        self.turn = 0

    def fault(self, **values: Any) -> None:
        """Add a fault that lasts until the end unless `values` says otherwise."""
        with self.here.sandbox.lock:
            self.here.sandbox.faults.add(from_json({"times": 0, **values}))

    def raise_alert(self, message: str, alias: str | None = None) -> str:
        """A new alert's id."""
        with self.here.sandbox.lock:
            alert: str = self.here.sandbox.opsgenie.create_alert(message, user=ANA, alias=alias)["id"]
        return alert

    def note(self, alert: str, text: str) -> None:
        """A customer's note."""
        with self.here.sandbox.lock:
            self.here.sandbox.opsgenie.add_note(alert, ANA, text)

    def answer(self, alert: str, text: str) -> None:
        """An engineer's note."""
        with self.here.sandbox.lock:
            self.here.sandbox.pagerduty.add_note(self.incident(alert), JANE, text)

    def incident(self, alert: str) -> str:
        """The id of an alert's incident. The caller holds the lock."""
        return self.here.sandbox.pagerduty.find(alert).now.id

    def open_pairs(self) -> None:
        """Raise the trial's alerts and wait until each has its incident; then set the real rate.

        Many pairs are followed by a minute's wait: what was done at the higher rate has used up the real one.
        """
        self.alerts = [self.raise_alert(f"service {n} is down", alias=f"s{n}") for n in range(self.trouble.pairs)]
        self.pages(dict.fromkeys(self.alerts, 0.0))
        with self.here.sandbox.lock:
            self.here.sandbox.change({"pagerduty_per_minute": PER_MINUTE})
        time.sleep(MINUTE if len(self.alerts) > MANY else 0.0)

    def pages(self, raised: dict[str, float]) -> dict[str, float]:
        """When each of these alerts was paged; those that are not within the longest time are missing."""
        paged: dict[str, float] = {}
        last = time.monotonic() + LONGEST
        while len(paged) < len(raised) and (left := last - time.monotonic()) > 0:
            with suppress(Empty):
                write = self.here.writes.get(timeout=min(left, 1.0))
                if write.path == "/incidents" and write.method == "POST":
                    key = write.values["incident"]["incident_key"]
                    if key in raised:
                        paged.setdefault(key, write.at)
        return paged

    def probe(self, count: int, every: float) -> tuple[list[float], int]:
        """Raise alerts at random moments; the times to their pages, and how many got none."""
        chance, raised = random.Random(1), {}  # type: tuple[random.Random, dict[str, float]]
        for number in range(count):
            time.sleep(chance.uniform(0.5, 1.5) * every)
            alert = self.raise_alert(f"probe {number}")
            raised[alert] = time.monotonic()
        paged = self.pages(raised)
        times = [paged.get(alert, at + LONGEST) - at for alert, at in raised.items()]
        return times, len(raised) - len(paged)

    def outage(self, seconds: float) -> tuple[float | None, float]:
        """Take the vendor away; returns requests a poll and polls a second to the other in the last third."""
        away = self.trouble.away
        self.fault(do="503", vendor=away)
        time.sleep(seconds * 2 / 3)
        seen = self.here.sandbox.journal.calls[-1].seq
        time.sleep(seconds / 3)
        with self.here.sandbox.lock:
            calls = [call for call in self.here.sandbox.journal.calls if call.seq > seen and call.vendor != away]
            self.here.sandbox.faults.clear()
        polls = sum(call.path in FEEDS[call.vendor] and call.method == "GET" for call in calls)
        return (len(calls) / polls if polls else None), polls / (seconds / 3)


def _hangs(trial: Trial) -> None:
    with trial.here.sandbox.lock:
        own = trial.incident(trial.alerts[0])
    trial.fault(do="hang", path=f"/incidents/{own}*", seconds=600.0)


def _refused(trial: Trial) -> None:
    with trial.here.sandbox.lock:
        trial.here.sandbox.change({"refused_incidents": [trial.incident(trial.alerts[0])]})


def _bad_note(trial: Trial) -> None:
    trial.fault(do="403", vendor="pagerduty", method="POST", contains="forbidden words", code=2010)
    trial.note(trial.alerts[0], "forbidden words")


def _throttled(trial: Trial) -> None:
    trial.fault(do="429", vendor="opsgenie", times=3)
    _talk(trial)


def _many_notes(trial: Trial) -> None:
    for alert in trial.alerts:
        for number in range(5):
            trial.note(alert, f"note {number}")


def _about_the_first(trial: Trial) -> None:
    """Add notes on both sides of the pair with the trouble, so that it is due all the time."""
    trial.note(trial.alerts[0], f"any news? {trial.turn}")
    trial.answer(trial.alerts[0], f"on it {trial.turn}")


def _talk(trial: Trial) -> None:
    for alert in random.Random(trial.turn).sample(trial.alerts, 3):
        trial.note(alert, f"any news? {trial.turn}")


def _recur(trial: Trial) -> None:
    for number in range(len(trial.alerts)):
        trial.raise_alert(f"service {number} is down", alias=f"s{number}")


def troubles(size: Scale) -> list[Trouble]:
    """All trials."""
    few, sweep = size.of(60, 4), size.of(1000, 8)
    away = [
        Trouble(f"just after an outage of {vendor}, {pairs} open pairs", pairs, away=vendor.lower())
        for vendor in ("PagerDuty", "Opsgenie")
        for pairs in size.sizes(60, 300, 1200, quick=60)
    ]
    log = {"vendor": "pagerduty", "path": "/log_entries"}
    return [
        Trouble("nothing is wrong", few),
        Trouble("PagerDuty's log takes 12 s", few, lambda trial: trial.fault(do="slow", seconds=12.0, **log)),
        Trouble("PagerDuty's log hangs", few, lambda trial: trial.fault(do="hang", seconds=600.0, **log)),
        Trouble("one incident hangs", few, _hangs, _about_the_first),
        Trouble("one incident answers 403", few, _refused, _about_the_first),
        Trouble("one note is always answered 403", few, _bad_note),
        Trouble("Opsgenie answered 429 a minute ago", few, _throttled, _talk, settle=size.of(60, 2)),
        Trouble(f"a sweep of {sweep} pairs is under way", sweep, settle=size.of(20, 1)),
        Trouble(f"{5 * size.of(100, 4)} notes wait", size.of(100, 4), _many_notes, settle=1.0),
        Trouble(f"{size.of(150, 4)} alerts recur every second", size.of(150, 4), each_second=_recur),
        *away,
    ]


def measure(trouble: Trouble, size: Scale, folder: Path) -> Result:
    """One trial."""
    folder.mkdir()
    settings = SandboxSettings(acknowledgement_timeout=None, pagerduty_per_minute=FAST)
    requests = polls = None
    with live(settings) as here:
        given = here.environment(
            folder / "page.db", POLL_INTERVAL_SECONDS="1", SWEEP_INTERVAL_SECONDS=str(SWEEP), LOG_LEVEL="INFO"
        )
        with daemon(given, folder):
            here.until_polled()
            trial = Trial(here, trouble)
            trial.open_pairs()
            if trouble.away:
                requests, polls = trial.outage(size.of(45, 3))
            with _going_on(trial):
                times, missing = trial.probe(size.of(20, 2), every=1.0)
            with here.sandbox.lock:
                here.sandbox.faults.clear()
                calls = list(here.sandbox.journal.calls)
    faults = sum(call.fault is not None or call.status >= REFUSED for call in calls)
    return Result(trouble.name, [round(at, 3) for at in times], missing, requests, faults, polls)


@contextmanager
def _going_on(trial: Trial) -> Iterator[None]:
    """Keep the trouble up until the end of the block."""
    trouble, ended = trial.trouble, threading.Event()

    def keep_going() -> None:
        while not ended.wait(1.0):
            trial.turn += 1
            if trouble.each_second:
                trouble.each_second(trial)

    thread = threading.Thread(target=keep_going)
    if trouble.begin:
        trouble.begin(trial)
    thread.start()
    try:
        if not trouble.away:
            time.sleep(trouble.settle)
        yield
    finally:
        ended.set()
        thread.join()


def run(size: Scale, folder: Path) -> Iterator[Finding]:
    """Every trial, beside the same before the work queue."""
    earlier = {} if size.quick else {result.name: result for result in _stored(BEFORE)}
    results = []
    for number, trouble in enumerate(troubles(size)):
        result = measure(trouble, size, folder / str(number))
        results.append(result)
        yield from _figures(result, earlier.get(result.name))
    yield Bars(
        "time-to-page", "Slowest of 20 pages while something is wrong", "seconds",
        [result.name for result in results],
        {
            "before the work queue": [_slowest(earlier.get(result.name)) for result in results],
            "work queue": [result.slowest for result in results],
        },
        limit=TARGET,
    )  # fmt: skip


def _figures(result: Result, earlier: Result | None) -> Iterator[Finding]:
    count = f"{len(result.seconds)} pages"
    was = f"; before the work queue {earlier.median:.2f} s" if earlier else ""
    yield Figure(SECTION, f"{result.name}, p50", result.median, "s", note=f"{count}{was}")
    was = f"; before the work queue {_text(earlier)}" if earlier else ""
    never = f", {result.missing} of them not within {LONGEST:.0f} s" if result.missing else ""
    yield at_most(SECTION, f"{result.name}, p99", result.slowest, TARGET, "s", note=f"{count}{never}{was}")
    if result.polls is not None:
        what = result.name.replace("just after", "during")
        yield at_least(SECTION, f"{what}: polls of the other side", result.polls, LEAST_POLLS, "a second")
    if result.requests is not None:
        had = earlier is not None and earlier.requests is not None
        was = f"before the work queue {earlier.requests:.3g}" if earlier and had else ""
        what = result.name.replace("just after", "during")
        yield at_most(
            SECTION, f"{what}: requests a poll to the other side", result.requests, TWO_REQUESTS, note=was
        )


def _text(result: Result) -> str:
    return f"{'more than ' if result.missing else ''}{result.slowest:.2f} s"


def _slowest(result: Result | None) -> float | None:
    return result.slowest if result else None


def _stored(file: Path) -> list[Result]:
    if not file.exists():
        return []
    return [Result(**row) for row in json.loads(file.read_text())["results"]]


def main(file: Path, names: list[str]) -> None:
    """Measure the trials whose name contains one of `names` (all, if none is given); replace them in the file."""
    chosen = [one for one in troubles(scale()) if not names or any(name in one.name for name in names)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for number, trouble in enumerate(chosen):
            result = measure(trouble, scale(), Path(folder) / str(number))
            found = f"p50 {result.median:.2f} s, slowest {_text(result)}"
            print(
                f"{result.name}: {found}, {result.requests} requests a poll, "
                f"{result.polls} polls a second, {result.faults} faults",
                flush=True,
            )
            kept = {row.name: row for row in _stored(file)} | {result.name: result}
            ordered = [asdict(kept[one.name]) for one in troubles(scale()) if one.name in kept]
            document = {"what": "time to page in seconds, before the work queue", "results": ordered}
            file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
