"""A dead man's switch on loopback: an address that records when it is asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

SECRET = "5ecret-of-the-switch"


class Switch(ThreadingHTTPServer):
    """The address. It answers with `status`, or while `hangs` not at all."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.hangs = False
        self.asked: list[float] = []
        self.agents: list[str | None] = []
        self.ending = Event()

    @property
    def url(self) -> str:
        """What to ask."""
        return f"http://127.0.0.1:{self.server_address[1]}/{SECRET}"

    def beats(self, since: int = 0) -> int:
        """How many times it has been asked since a count of its own."""
        return len(self.asked) - since


class _Handler(BaseHTTPRequestHandler):
    server: Switch

    def do_GET(self) -> None:
        self.server.agents.append(self.headers["User-Agent"])
        self.server.asked.append(time.monotonic())
        if self.server.hangs:
            self.server.ending.wait(60)
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log nothing."""


@contextmanager
def a_switch() -> Iterator[Switch]:
    """A switch that listens."""
    with Switch() as switch:
        thread = Thread(target=switch.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield switch
        finally:
            switch.ending.set()
            switch.shutdown()
            thread.join(5)
