"""The heartbeats of a process with several routes: they are pinged while every route that it leads is well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.core.model import Side
from reconciler.core.product import OPSGENIE
from reconciler.observability.health import refusals
from reconciler.runtime.heartbeats import BETWEEN_TRIES, Heartbeats
from reconciler.runtime.program import Program
from reconciler.runtime.request_log import log_request
from reconciler.runtime.rounds import Feed
from reconciler.runtime.sessions import authorization, session
from reconciler.settings import Settings
from reconciler.vendors.heartbeat_url import HeartbeatUrl
from reconciler.vendors.http import Http
from reconciler.vendors.opsgenie.heartbeat import OpsgenieHeartbeat
from reconciler.vendors.ports import Clock, Heartbeat
from reconciler.vendors.rate_limiter import RateLimiter


@dataclass(frozen=True, slots=True)
class Ran:
    """A route that this process works for. `unpaged`: why somebody is not paged; empty if everybody is."""

    name: str
    program: Program
    unpaged: Callable[[], str]


Led = Callable[[], Sequence[Ran]]
"""The routes that this process leads now."""


class SharedHeartbeats:
    """The heartbeats that the variables configure. For one thread.

    `first` returns the settings of the first route as they are now: Opsgenie's heartbeat is asked with its key.
    """

    def __init__(
        self,
        settings: Settings,
        led: Led,
        clock: Clock,
        say: Callable[[str], None],
        first: Callable[[], Settings] | None = None,
    ) -> None:
        self._led = led
        self._first = first or (lambda: settings)
        self._key = authorization(settings, OPSGENIE.name)
        self._opsgenie: Http | None = None
        self._url = HeartbeatUrl(settings.heartbeat_url.get_secret_value()) if settings.heartbeat_url else None
        found: list[Heartbeat] = [self._url] if self._url else []
        if settings.opsgenie_heartbeat:
            http = session(settings, Side.ALERTS, clock, RateLimiter(clock), log_request, name=OPSGENIE.name)
            self._opsgenie = http
            found.append(OpsgenieHeartbeat(http, settings.opsgenie_heartbeat))
        interval = settings.heartbeat_interval_seconds
        self._all = Heartbeats(found, _Together(led), self._objection, clock, interval, say)
        self._pause = min(settings.poll_interval_seconds, BETWEEN_TRIES)

    def use(self, settings: Settings) -> None:
        """Ask the HEARTBEAT_URL of these settings from now on."""
        if self._url is not None and settings.heartbeat_url is not None:
            self._url.use(settings.heartbeat_url.get_secret_value())

    def poll(self) -> None:
        """Ping what is due, if all is well."""
        self._use_key()
        self._all.poll()

    def next_in(self) -> float:
        """Seconds until the next poll."""
        return self._all.next_in(self._pause)

    def _use_key(self) -> None:
        key = authorization(self._first(), OPSGENIE.name)
        if self._opsgenie is not None and key != self._key:
            self._key = key
            self._opsgenie.use_key(key)

    def _objection(self) -> str:
        found = (refusals(route.program.wrong()) or route.unpaged() for route in self._led())
        return next(filter(None, found), "")


class _Together:
    """The rounds of all routes that are led, as those of one: a poll of it is one of each of them."""

    def __init__(self, led: Led) -> None:
        self._led = led
        self._polls = dict.fromkeys(Side, 0)
        self._seen: dict[Side, dict[str, int]] = {side: {} for side in Side}

    def feed(self, side: Side) -> Feed:
        """The feed of one side: good if that of every route is; without a route it is not."""
        feeds = {route.name: route.program.rounds.feed(side) for route in self._led()}
        if not feeds:
            return Feed(0.0)
        seen = self._seen[side]
        if all(feed.polls != seen.get(name) for name, feed in feeds.items()):
            self._seen[side] = {name: feed.polls for name, feed in feeds.items()}
            self._polls[side] += 1
        is_good = all(feed.is_good for feed in feeds.values())
        return Feed(min(feed.since for feed in feeds.values()), self._polls[side], is_good=is_good)
