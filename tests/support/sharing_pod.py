"""A process that leads its share of routes and writes a row for each, twenty times a second, under fencing.

`python -m tests.support.sharing_pod URL INTERVAL ROUTE…` runs one until SIGTERM, upon which it leaves politely;
`SharingPod` starts one. What a daemon does besides is left out.
"""

import signal
import subprocess
import sys
import threading
from datetime import timedelta

from sqlalchemy import text

from reconciler.core.policy import Policy
from reconciler.errors import ReconcilerError
from reconciler.reconcile.work_queue import WorkQueue
from reconciler.reconcile.write_breakers import WriteBreakers
from reconciler.runtime.leadership import Leadership
from reconciler.runtime.pauses import Pauses
from reconciler.runtime.shares import shares_for
from reconciler.store.database import Database, Superseded, open_database
from reconciler.vendors.http import SystemClock
from tests.support.paths import ROOT

TABLE = (
    "CREATE TABLE written (id serial PRIMARY KEY, route text, holder text, epoch int, "
    "at timestamp DEFAULT clock_timestamp())"
)
_WRITE = text("INSERT INTO written (route, holder, epoch) VALUES (:route, :holder, :epoch)")
PAUSE = 0.05


class SharingPod:
    """One such process, as its test sees it."""

    def __init__(self, url: str, interval: float, routes: list[str]) -> None:
        command = [sys.executable, "-m", __spec__.name, url, str(interval), *routes]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
        self.pid = self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals) -> int:
        """End it by a signal; returns its exit status."""
        self._process.send_signal(number)
        return self._process.wait(20)


class _Route:
    """One route of this process."""

    def __init__(self, database: Database, leadership: Leadership) -> None:
        self.database = database
        self.leadership = leadership

    def confirm(self) -> None:
        try:
            self.leadership.confirm(Policy())
        except ReconcilerError:
            self.leadership.lose()

    def write(self) -> None:
        if not self.leadership.leads:
            return
        row = {"route": self.database.route, "holder": self.database.holder, "epoch": self.leadership.epoch}
        try:
            with self.database.writing() as unit:
                unit.cursors.connection.execute(_WRITE, row)
        except Superseded:
            self.leadership.give_up()
        except ReconcilerError:
            self.leadership.lose()


class _Process:
    """All routes of this process."""

    def __init__(self, url: str, interval: float, names: list[str]) -> None:
        self.stop = threading.Event()
        self.clock, self.database = SystemClock(self.stop), open_database(url)
        self.interval = timedelta(seconds=interval)
        self.shares = shares_for(url, self.database.holder, self.clock, self.interval)
        self.shares.know(names)
        self.routes = {name: self._route(name) for name in names}

    def _route(self, name: str) -> _Route:
        own = self.database.for_route(name)
        pauses = Pauses(own, self.clock, WriteBreakers(self.clock))
        lock, queue = self.shares.lock(name), WorkQueue(self.clock)
        return _Route(own, Leadership(own, lock, queue, self.clock, self.interval, pauses))

    def run(self) -> None:
        """Lead until SIGTERM."""
        beats = threading.Thread(target=self._beat, daemon=True)
        beats.start()
        confirm_at = self.clock.monotonic()
        while not self.stop.wait(PAUSE):
            is_due = self.clock.monotonic() >= confirm_at
            if is_due:
                confirm_at += self.interval.total_seconds()
            for route in self.routes.values():
                if is_due:
                    route.confirm()
                route.write()
        beats.join(2)
        for route in self.routes.values():
            route.leadership.give_up()
        self.shares.close()
        self.database.close()

    def _beat(self) -> None:
        while not self.stop.wait(self.shares.beat_every):
            try:
                change = self.shares.beat()
            except ReconcilerError:
                for route in self.routes.values():
                    route.leadership.lose()
                continue
            for name in sorted(change.taken | change.lost):
                self.routes[name].confirm()
            for name in sorted(self.shares.to_hand_over()):
                self.routes[name].leadership.give_up()


if __name__ == "__main__":
    running = _Process(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
    signal.signal(signal.SIGTERM, lambda *_: running.stop.set())
    running.run()
