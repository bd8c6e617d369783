"""The canned vendors over HTTP; counts requests."""

import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

from reconciler.sandbox.wire import Request, parse_query
from tests.support.canned import Canned

AT_START = 4
"""Requests that a route makes at its start at least: its user, its service, and who is on call."""
PATIENCE = 600.0
"""Seconds within which a daemon must be idle after its start."""


class CannedServer:
    """Listens until the end of the block. `asked` counts requests by vendor, `polls` those for PagerDuty's log."""

    def __init__(self, canned: Canned) -> None:
        outer = self
        self.asked: Counter[str] = Counter()
        self.polls = 0
        self._lock = Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                outer._count(path)
                answer = canned(Request("GET", path, parse_query(query)))
                lines = [f"{name}: {value}" for name, value in answer.headers.items()]
                head = "\r\n".join(
                    [f"HTTP/1.1 {answer.status} -", *lines, f"Content-Length: {len(answer.body)}", "", ""]
                )
                self.wfile.write(head.encode() + answer.body)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def until_polled(self, polls: int) -> None:
        """Wait until there have been this many polls in all."""
        last = time.monotonic() + 60
        while self.polls < polls:
            assert time.monotonic() < last, "the daemon does not poll"
            time.sleep(0.01)

    def until_idle(self, interval: float, routes: int, most: int) -> None:
        """Wait for two intervals of at most so many requests each, after what every route asks at its start."""
        last, quiet, before = time.monotonic() + PATIENCE, 0, 0
        while quiet < 2:
            assert time.monotonic() < last, "the daemon does not come to rest"
            time.sleep(interval)
            now = sum(self.asked.values())
            has_begun = now >= AT_START * routes
            quiet = quiet + 1 if has_begun and now - before <= most else 0
            before = now

    def _count(self, path: str) -> None:
        with self._lock:
            self.asked[path.split("/")[1]] += 1
            self.polls += path.endswith("/log_entries")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
