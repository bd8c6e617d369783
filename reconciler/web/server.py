"""The listener: waitress, with limits that slow, stalled and greedy clients run into before anybody else does."""

import json
import logging
import socket
import time
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Any, Self

from flask import Flask
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask

from reconciler.errors import Misconfigured
from reconciler.observability.logs import get_logger
from reconciler.settings import Address
from reconciler.web.app import HEADERS, LARGEST

CONNECTIONS = 600
"""At the same time; for each one more the most silent is closed. File descriptors are usually limited to 1,024."""
SPARE = 32
"""File descriptors beside the connections: the listeners, and whoever is being closed."""
WHOLE_REQUEST = 8
"""Seconds for a whole request to arrive, however busily it trickles; and for an idle connection."""
SWEEP = 2
"""Seconds between two rounds that end what took longer."""
LINGER = 2.0
"""Seconds that an over-large body is still read, and thrown away, so that its sender sees the answer."""
HELD = 32 * LARGEST
"""Bytes of unfinished requests that are held in memory altogether. Beyond, the largest is dropped."""
LARGEST_HEAD = 16 * 1024
"""Bytes of a request's line and headers."""
FIRST = 64
"""Bytes of a request that are kept to tell where it went."""

log = get_logger(__name__)


class _Request(HTTPRequestParser):
    """A request, of which is known where it goes even when the rest cannot be read.

    Nobody honest sends the next one before the answer to this one, and a few hundred fit into what is received at
    once: they are not read, and the connection ends with this answer.
    """

    _first = b""

    def received(self, data: bytes) -> int:
        self._first += data[: FIRST - len(self._first)]
        consumed = int(super().received(data))
        if self.completed and data[consumed:].strip():
            self.headers["CONNECTION"] = "close"
        return len(data) if self.completed else consumed

    def parse_header(self, header_plus: bytes) -> None:
        """A length of thousands of digits and an address that is none are bad requests, like whatever else is."""
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("not readable") from None
        if "close" in [word.strip() for word in self.headers.get("CONNECTION", "").lower().split(",")]:
            self.headers["CONNECTION"] = "close"  # waitress knows it only as the one word there

    def goes_to(self) -> str:
        line = self._first.lstrip().split(b" ", 2)
        return line[1].partition(b"?")[0].decode("latin-1") if len(line) > 2 else ""  # noqa: PLR2004 - HTTP


class _ErrorTask(ErrorTask):
    """The answer to what is no proper request: fixed words, and the headers that every answer has."""

    def execute(self) -> None:
        error = self.request.error
        self.channel.server.refused(self.request.goes_to(), error.code)
        body = json.dumps({"error": error.reason}).encode() + b"\n"
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", "application/json"), *HEADERS])
        self.set_close_on_finish()
        self.channel.lingers = True
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    """A connection. Its clock starts with a request's first byte and is not put back by the next ones."""

    parser_class = _Request
    error_task_class = _ErrorTask
    lingers = False
    _lingering = False
    _began: float | None = None
    last_activity: float
    held = 0

    def __init__(self, *connection: Any, **more: Any) -> None:
        super().__init__(*connection, **more)
        _make_room([item for item in self._map.values() if isinstance(item, _Channel)])

    def readable(self) -> bool:
        return not self.will_close if self._lingering else super().readable()

    def writable(self) -> bool:
        return bool(self.will_close) if self._lingering else bool(super().writable())

    def handle_read(self) -> None:
        if self._lingering:
            self._throw_away()
            return
        super().handle_read()
        unfinished = self.request
        if unfinished is None:
            self._began, self.held = None, 0
            return
        self._began = self._began or self.last_activity
        self.last_activity = self._began
        self.held = unfinished.body_bytes_received + unfinished.header_bytes_received
        _drop_the_largest(self.server.active_channels)

    def handle_write(self) -> None:
        if self.lingers and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self._linger()
            if not self.will_close:
                return
        super().handle_write()

    def _linger(self) -> None:
        """The answer is out. To close with unread input would take it back on its way: read on for a moment."""
        self.close_when_flushed = False
        self._lingering = True
        self.last_activity = time.time() - self.adj.channel_timeout + LINGER
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True

    def _throw_away(self) -> None:
        try:
            gone = not self.recv(65536)
        except OSError:
            gone = True
        if gone:
            self.handle_close()


def _drop_the_largest(channels: dict[int, _Channel]) -> None:
    if sum(channel.held for channel in channels.values()) > HELD:
        largest = max(channels.values(), key=lambda channel: channel.held)
        largest.will_close, largest.held = True, 0


def _make_room(channels: list[_Channel]) -> None:
    """Whoever has sent nothing for longest, and awaits no answer, makes room for who comes now."""
    staying = [channel for channel in channels if not channel.will_close]
    silent = [channel for channel in staying if not channel.requests]
    if len(staying) > CONNECTIONS and silent:
        min(silent, key=lambda channel: channel.last_activity).will_close = True


class Server:
    """Listens from its making on, until the end of a `with` block.

    `refused` is told the path and the status of what is turned away before the application sees it.
    """

    def __init__(self, app: Flask, address: Address, refused: Callable[[str, int], None]) -> None:
        self._map: dict[int, Any] = {}
        try:
            self._server = create_server(
                app,
                map=self._map,
                listen=str(address),
                threads=4,
                connection_limit=CONNECTIONS + SPARE,
                channel_timeout=WHOLE_REQUEST,
                cleanup_interval=SWEEP,
                max_request_body_size=LARGEST + 1,  # waitress refuses from here on
                max_request_header_size=LARGEST_HEAD,
                inbuf_overflow=LARGEST + 1,  # nothing of a request is ever put on disk
                asyncore_use_poll=True,
                ident=None,
                log_socket_errors=False,  # whoever hangs up is no news
            )
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else None
            raise Misconfigured(
                f"HTTP_LISTEN: cannot listen on {address}: {words or 'no such address'}; "
                "choose another port or an address of this machine"
            ) from None
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line per request that waits for a moment
        self._listeners = [item for item in self._map.values() if isinstance(item, BaseWSGIServer)]
        for listener in self._listeners:
            listener.channel_class = _Channel
            listener.refused = refused
        self._thread = Thread(target=self._server.run, name="http", daemon=True)

    def __enter__(self) -> Self:
        host, port = self._listeners[0].socket.getsockname()[:2]
        log.info("listening", host=host, port=port)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._listeners:
            listener.task_dispatcher.shutdown()
            listener.close()
