"""One deadline for a whole exchange: connection, TLS, head, every chunk, and trailers.

A socket's own time-out begins anew with each byte, so that it never ends an answer that comes a byte at a time.
Here one thread knows the deadline of every exchange and shuts its socket down when that is reached: the waiting
read or write then returns at once.
"""

import heapq
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

_current = threading.local()
"""The present exchange of each thread, for the connections that it uses."""


class Exchange:
    """One exchange and its socket. `expired`: the deadline came before the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.expired = False
        self.over = False

    def use(self, sock: socket.socket) -> None:
        """Use this socket from now on.

        A duplicate is kept: TLS takes the descriptor away from the object that was connected, and a descriptor
        that was closed meanwhile may already be another connection's.
        """
        duplicate = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            self._replace(duplicate)
            if self.expired:
                _shut(duplicate)

    def expire(self) -> None:
        """Shut the socket down, because the deadline has been reached."""
        with self._lock:
            self.expired = not self.over
            if self._socket is not None:
                _shut(self._socket)

    def end(self) -> None:
        """End the exchange; its socket may serve another one."""
        with self._lock:
            self.over = True
            self._replace(None)

    def _replace(self, sock: socket.socket | None) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = sock


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # the other side has closed it already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Watchdog:
    """The thread that expires exchanges; it runs as long as there are any."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: list[tuple[float, int, Exchange]] = []
        self._numbers = count()
        self._running = False

    def watch(self, exchange: Exchange, seconds: float) -> None:
        """Expire the exchange after so many seconds, unless it has ended by then."""
        with self._changed:
            number = next(self._numbers)
            heapq.heappush(self._deadlines, (time.monotonic() + seconds, number, exchange))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif self._deadlines[0][1] == number:
                self._changed.notify()

    def _run(self) -> None:
        while exchange := self._next_due():
            exchange.expire()

    def _next_due(self) -> Exchange | None:
        """Wait for the next exchange that is due. None if none is left, which ends the thread."""
        with self._changed:
            while True:
                while self._deadlines and self._deadlines[0][2].over:
                    heapq.heappop(self._deadlines)
                if not self._deadlines:
                    self._running = False
                    return None
                left = self._deadlines[0][0] - time.monotonic()
                if left <= 0:
                    return heapq.heappop(self._deadlines)[2]
                self._changed.wait(left)


_watchdog = _Watchdog()


@contextmanager
def exchange(seconds: float) -> Iterator[Exchange]:
    """An exchange of the current thread, over connections of a WatchedAdapter, of at most so many seconds."""
    one = Exchange()
    _watchdog.watch(one, seconds)
    _current.exchange = one
    try:
        yield one
    finally:
        _current.exchange = None
        one.end()


def _addresses(name: str, port: int | None) -> list[str]:
    """Addresses of a name; none if it is unknown, which the connection attempt then reports."""
    try:
        found = socket.getaddrinfo(name.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Watched(HTTPConnection):
    """A connection that registers its socket with the exchange it serves."""

    def _new_conn(self) -> socket.socket:
        sock = self._connected()
        _show(sock)
        return sock

    def _connected(self) -> socket.socket:
        """Connect. All addresses share the time-out: a firewall may drop packets to each of them."""
        name, timeout = self._dns_host, self.timeout
        addresses = _addresses(name, self.port)
        if timeout is None or len(addresses) < 2:  # noqa: PLR2004 - there is nothing to share
            return super()._new_conn()
        last = time.monotonic() + timeout
        try:
            for left in range(len(addresses), 1, -1):
                self._dns_host = addresses[-left]
                self.timeout = max(0.05, (last - time.monotonic()) / left)
                with suppress(ConnectTimeoutError, NewConnectionError):
                    return super()._new_conn()
            self._dns_host, self.timeout = addresses[-1], max(0.05, last - time.monotonic())
            return super()._new_conn()
        finally:
            self._dns_host, self.timeout = name, timeout

    def _tunnel(self) -> None:
        super()._tunnel()
        one: Exchange | None = getattr(_current, "exchange", None)
        if one is not None and one.expired:  # the exchange's deadline has closed the connection to the proxy
            raise TimeoutError("the proxy made no connection in time")

    def request(self, *args: Any, **more: Any) -> None:
        if self.sock is not None:
            _show(self.sock)
        super().request(*args, **more)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class WatchedAdapter(HTTPAdapter):
    """Connections, direct or through a proxy, whose exchanges have a deadline."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """The pools of direct connections."""
        super().init_poolmanager(*args, **more)
        _watch_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """The pools of connections through that proxy."""
        manager = super().proxy_manager_for(proxy, **more)
        if not proxy.lower().startswith("socks"):
            _watch_pools(manager)
        return manager


def _watch_pools(manager: Any) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _show(sock: socket.socket) -> None:
    one: Exchange | None = getattr(_current, "exchange", None)
    if one is not None:
        one.use(sock)
