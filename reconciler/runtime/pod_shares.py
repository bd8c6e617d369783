"""The routes of one pod on PostgreSQL: its beats take locks and hand routes over, as `core/sharing.py` decides."""

import threading
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from reconciler.core.sharing import Pod, Pulse, View, beaten, decide, digest, timing
from reconciler.errors import ReconcilerError
from reconciler.observability.logs import get_logger
from reconciler.store.database import DatabaseDown
from reconciler.store.lock import Lock
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

BUSY = 1.0
"""Seconds that a release waits for a beat under way. Then it is left to that beat, or to its failure."""
AGAIN = 15.0
"""Seconds after which a pod that could not lead a route tries it again, if no other pod leads it by then."""
FORGOTTEN = 600.0
"""Seconds after which it counts for that route again, although another pod leads it: the cause may be mended."""


@dataclass(frozen=True, slots=True)
class Change:
    """The routes that this process may begin to lead after a beat, and those whose locks it has lost.

    `taken` are also those that it held before, but whose lock had not been confirmed for too long.
    """

    taken: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


class Session(Protocol):
    """What a pod asks of the server: `store.lock_session.LockSession`, or a simulated one."""

    @property
    def holder(self) -> str:
        """The pod's name."""

    def beat(self, routes: Collection[str], knows: str) -> View:
        """Renew this pod's row, and see who holds the locks of these routes."""

    def take(self, routes: Sequence[str]) -> frozenset[str]:
        """Try to take the locks of these routes; returns those that were free."""

    def release(self, routes: Collection[str]) -> None:
        """Release the locks of these routes."""

    def end(self, pod: Pod) -> bool:
        """End another pod's session; False if that is not allowed."""

    def close(self) -> None:
        """Close the session, which releases its locks."""


class PodShares:
    """The routes of one pod. For any thread.

    A lock is held as of the last beat. Once that is as long ago as it takes others to end this pod's session, no
    lock counts as held until the next beat has confirmed it: this process may have been stopped meanwhile.
    """

    def __init__(self, session: Session, clock: Clock, interval: timedelta) -> None:
        self._session = session
        self._clock = clock
        self._timing = timing(interval.total_seconds())
        self._beating = threading.Lock()
        """Held while the session is used."""
        self._changing = threading.Lock()
        """Held while one of the following is replaced."""
        self._known: frozenset[str] = frozenset()
        self._held: frozenset[str] = frozenset()
        self._to_hand_over: frozenset[str] = frozenset()
        self._to_release: frozenset[str] = frozenset()
        self._declined: dict[str, float] = {}  # routes that this pod could not lead, and when that was
        self._confirmed_at = clock.monotonic()
        self._failed: ReconcilerError | None = None
        self._pulse: Pulse | None = None
        self._pods: tuple[Pod, ...] = ()
        self._not_ended: frozenset[str] = frozenset()

    @property
    def beat_every(self) -> float:
        """Seconds between two beats."""
        return self._timing.beat

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods as the last beat has seen them."""
        return self._pods

    def know(self, routes: Collection[str]) -> None:
        """Name the routes that this process may lead from the next beat on."""
        self._known = frozenset(routes)

    def beat(self) -> Change:
        """Renew this pod's row, take locks that it may take, and decide which routes to hand over."""
        with self._beating:
            before, confirmed_at, at = self._held, self._confirmed_at, self._clock.monotonic()
            try:
                held, to_hand_over = self._beaten()
                with self._changing:
                    self._held, self._to_hand_over = held - self._to_release, to_hand_over - self._to_release
                    self._confirmed_at = at
                self._release_all()
            except ReconcilerError as error:
                self._failed = error
                self._lose()
                raise
            self._failed = None
            was_confirmed = at - confirmed_at <= self._timing.overdue
            return Change(self._held - before if was_confirmed else self._held, before - self._held)

    def to_hand_over(self) -> frozenset[str]:
        """Routes whose lead is to be given up, and their lock then released."""
        return self._to_hand_over

    def lock(self, route: str) -> Lock:
        """The lock of one route."""
        return _PodLock(self, route)

    def close(self) -> None:
        """Release every lock and leave."""
        self._lose()
        if self._beating.acquire(timeout=BUSY):
            try:
                self._session.close()
            finally:
                self._beating.release()

    def holds(self, route: str) -> bool:
        """Whether the lock is ours as of the last beat; its error if it failed, DatabaseDown if it is long ago."""
        failed = self._failed
        if failed is not None:
            raise copy(failed)
        if route not in self._held:
            return False
        silent = self._clock.monotonic() - self._confirmed_at
        if silent > self._timing.overdue:
            raise DatabaseDown(
                f"DATABASE_URL: the database has not confirmed the locks of this process for {silent:.0f} s: it "
                "does not answer, or this process was stopped; nothing is written until it has",
                "away",
            )
        return True

    def release(self, route: str) -> None:
        """Release one route's lock: now, or with the beat under way."""
        with self._changing:
            if route not in self._held:
                return
            self._held -= {route}
            self._to_hand_over -= {route}
            self._to_release |= {route}
        if self._beating.acquire(timeout=BUSY):
            try:
                self._release_all()
            except ReconcilerError:
                self._lose()  # with the session that failed, every lock of it is free
            finally:
                self._beating.release()

    def decline(self, route: str) -> None:
        """Release a route that this pod cannot lead. For now it knows the route no more, as others may lead it."""
        with self._changing:
            self._declined[route] = self._clock.monotonic()
        self.release(route)

    def _beaten(self) -> tuple[frozenset[str], frozenset[str]]:
        """One beat; returns the routes that are held now, and those to hand over."""
        known, again = self._able()
        view = self._looked(known, again)
        self._pulse = beaten(self._pulse, view.now, self._timing)
        decision = decide(self._session.holder, view, known, self._timing, self._pulse, again)
        if decision.end:
            for pod in decision.end:
                self._end(pod)
            view = self._looked(known, again)
            decision = decide(self._session.holder, view, known, self._timing, self._pulse, again)
        self._pods = view.pods
        taken = self._session.take(decision.take) if decision.take else frozenset()
        with self._changing:
            self._declined = {route: at for route, at in self._declined.items() if route not in taken}
        return view.mine | taken, decision.hand_over

    def _able(self) -> tuple[frozenset[str], frozenset[str]]:
        """The routes that this pod knows and can lead, for all it knows, and those to try again."""
        known, now = self._known, self._clock.monotonic()
        with self._changing:
            self._declined = {
                route: at for route, at in self._declined.items() if route in known and now - at < FORGOTTEN
            }
            again = frozenset(route for route, at in self._declined.items() if now - at >= AGAIN)
            return known.difference(self._declined), again

    def _looked(self, known: frozenset[str], again: frozenset[str]) -> View:
        return self._session.beat(known | again | self._held | self._to_release, digest(known))

    def _end(self, pod: Pod) -> None:
        if self._session.end(pod):
            log.warning(
                "ended the database session of another reconciler, which had stopped or was cut off: "
                "its routes are taken over",
                pod=pod.name,
                silent_seconds=round(pod.age, 1),
                routes=pod.routes,
            )
        elif pod.name not in self._not_ended:
            self._not_ended |= {pod.name}
            log.error(
                "another reconciler has stopped or is cut off, and this database role may not end its session, so "
                "that its routes have no leader: use one role for all, or grant it pg_signal_backend",
                subject="lock",
                pod=pod.name,
                session=pod.session,
                routes=pod.routes,
            )

    def _release_all(self) -> None:
        with self._changing:
            routes, self._to_release = self._to_release, frozenset()
        if routes:
            self._session.release(routes)

    def _lose(self) -> None:
        with self._changing:
            self._held = self._to_hand_over = self._to_release = frozenset()


class _PodLock(Lock):
    """The lock of one route as `runtime.leadership` uses it."""

    def __init__(self, shares: PodShares, route: str) -> None:
        self._shares = shares
        self._route = route

    def acquire(self) -> bool:
        """Whether a beat has taken the lock. ReconcilerError if the last beat failed, or is too long ago."""
        return self._shares.holds(self._route)

    def release(self) -> None:
        """Release the lock."""
        self._shares.release(self._route)

    def decline(self) -> None:
        """Release the lock, and leave the route to others for now."""
        self._shares.decline(self._route)
