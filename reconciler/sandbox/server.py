"""The sandbox over HTTP/1.1: persistent connections, a thread for each, and faults as a client meets them."""

import contextlib
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

from reconciler.sandbox.app import Cut, Delayed, Dripped, Sandbox
from reconciler.sandbox.pagerduty.directory import BOT, SERVICE_ID
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Clock, Request, Response, parse_query


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        super().__init__(address, _Handler)
        self.sandbox = sandbox
        self.stopping = Event()
        self._open: set[socket.socket] = set()
        self._guard = Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a traceback, but not when the client has closed the connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def cut_all(self) -> None:
        """Close every connection, including idle ones."""
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        request = self._request()
        latency = 0.0 if request.path.startswith("/control") else self.server.sandbox.settings.latency
        self._wait(latency)
        reply = self.server.sandbox.handle(request)
        if isinstance(reply, Delayed):
            self._wait(reply.seconds)
            reply = reply.response
        if isinstance(reply, Cut):
            self._wait(reply.after)
            self._cut(reply.partial)
        elif isinstance(reply, Dripped):
            self._drip(reply)
        else:
            self._send(self._bytes(reply))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class looks for these

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Log nothing: the journal has all requests."""

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, parse_query(query), headers, self.rfile.read(length) if length else b"")

    def _bytes(self, response: Response) -> bytes:
        """The whole response: written at once, no part of it waits for the acknowledgement of another by TCP."""
        reason = self.responses.get(response.status, ("",))[0]
        length = {} if response.status == 204 else {"Content-Length": str(len(response.body))}  # noqa: PLR2004 - HTTP
        headers = {"Date": self.date_time_string(), **response.headers, **length}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {response.status} {reason}", *lines, "", ""])
        return head.encode("latin-1") + response.body

    def _send(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def _drip(self, reply: Dripped) -> None:
        """Send the head or the body byte by byte, the other at once."""
        whole = self._bytes(reply.response)
        head, body = whole[: len(whole) - len(reply.response.body)], reply.response.body
        prompt, slow, rest = (head, body, b"") if reply.body else (b"", head, body)
        try:
            self.wfile.write(prompt)
            for byte in slow:
                self._wait(reply.seconds / len(slow))
                self.wfile.write(bytes([byte]))
            self.wfile.write(rest)
        except OSError:
            self.close_connection = True

    def _cut(self, partial: Response | None) -> None:
        if partial is not None:
            whole = self._bytes(partial)
            self._send(whole[: len(whole) - max(1, len(partial.body) // 2)])
        self.close_connection = True

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.server.stopping.wait(seconds)


class RunningSandbox:
    """A sandbox that listens. `url` has no slash at its end. A context manager that stops it."""

    def __init__(self, server: _Server) -> None:
        host, port = server.server_address[:2]
        self.url = f"http://{host if isinstance(host, str) else host.decode()}:{port}"
        self.sandbox = server.sandbox
        self._server = server
        self._thread = Thread(target=server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close every connection. May be called again."""
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_all()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    host: str = "127.0.0.1", port: int = 0, settings: SandboxSettings | None = None, clock: Clock | None = None
) -> RunningSandbox:
    """Start listening; port 0 picks a free one. OSError when the port is in use."""
    return RunningSandbox(_Server((host, port), Sandbox(clock, settings)))


def environment(url: str, settings: SandboxSettings | None = None, *, is_named: bool = False) -> dict[str, str]:
    """The environment variables that make the product use a sandbox at `url`.

    Alerts are in JSM where they are so from the beginning; `is_named` gives the key of its integration, too.
    """
    chosen = settings or SandboxSettings()
    opsgenie = {"OPSGENIE_API_URL": f"{url}/opsgenie", "OPSGENIE_API_KEY": chosen.opsgenie_key}
    return (jsm_environment(url, chosen, is_named=is_named) if chosen.jsm_only else opsgenie) | {
        "PAGERDUTY_API_URL": f"{url}/pagerduty",
        "PAGERDUTY_API_KEY": chosen.pagerduty_key,
        "PAGERDUTY_SERVICE_ID": SERVICE_ID,
        "PAGERDUTY_EMAIL": BOT.email,
        "PAGERDUTY_USER": BOT.id,
    }


def jsm_environment(url: str, settings: SandboxSettings, *, is_named: bool = False) -> dict[str, str]:
    """The variables that are Opsgenie's otherwise; `is_named`: acts in JSM bear the engineer's name."""
    return {
        "ALERT_SOURCE": "jsm",
        "JSM_SITE_URL": f"{url}/jsm",
        "JSM_API_URL": f"{url}/jsm",
        "JSM_EMAIL": settings.jsm_email,
        "JSM_API_TOKEN": settings.jsm_token,
        **({"JSM_INTEGRATION_KEY": settings.jsm_key} if is_named else {}),
    }
