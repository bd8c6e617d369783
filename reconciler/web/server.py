"""The HTTP listener: waitress unchanged, with limits for slow, stalled and greedy clients.

tests/system/web/test_hostile.py tests what these limits withstand; docs/decisions has measurements and
alternatives.
"""

import logging
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Any, Self

from flask import Flask
from waitress import create_server
from waitress.server import BaseWSGIServer

from reconciler.errors import Misconfigured
from reconciler.observability.logs import get_logger
from reconciler.settings import Address
from reconciler.web.app import LARGEST_BODY

CONNECTIONS = 450
"""The most connections at the same time; further ones wait in the kernel's backlog until one ends.

Each takes a file descriptor, and a second one while a large body arrives. Together they stay below the usual limit
of 1,024, so that clients cannot keep the process from opening its database or calling a vendor.
"""
SILENCE = 8
"""Seconds without a byte after which a connection is closed."""
CLEANUP = 2
"""Seconds between two searches for silent connections."""
LARGEST_HEAD = 16 * 1024
"""Bytes of a request's line and headers; more is answered 431."""
READ_AT_MOST = 2 * LARGEST_BODY
"""Bytes of a body that are read so that the sender receives the application's 413; more is refused by its head."""
IN_MEMORY = 16 * 1024
"""Bytes of one unfinished body that are held in memory; what exceeds them goes to a temporary file.

All connections together hold 7 MiB. A genuine webhook is smaller.
"""
LISTENER_THREADS = 4

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the clients of one listener may use: connections, threads, and bytes of a body that are read."""

    connections: int = CONNECTIONS
    threads: int = LISTENER_THREADS
    body: int = READ_AT_MOST


class Server:
    """A listener that is bound on construction and serves for the length of a `with` block.

    `setting` is the variable that names the address; `event` is what is logged once it listens.
    """

    def __init__(
        self,
        app: Flask,
        address: Address,
        setting: str = "HTTP_LISTEN",
        limits: Limits = Limits(),
        event: str = "listening",
    ) -> None:
        self._event = event
        sockets: dict[int, Any] = {}
        try:
            self._server = create_server(
                app,
                map=sockets,
                listen=str(address),
                threads=limits.threads,
                connection_limit=limits.connections,
                channel_timeout=SILENCE,
                cleanup_interval=CLEANUP,
                max_request_body_size=limits.body,
                max_request_header_size=LARGEST_HEAD,
                inbuf_overflow=IN_MEMORY,
                asyncore_use_poll=True,  # select() cannot watch file descriptors above 1,023
                ident=None,
            )
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else None
            raise Misconfigured(
                f"{setting}: cannot listen on {address}: {words or 'no such address'}; "
                "choose another port or an address of this machine"
            ) from None
        # Any client can make waitress log; errors of the application are logged by the application.
        for name in ("waitress", "waitress.queue"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._listeners = [item for item in sockets.values() if isinstance(item, BaseWSGIServer)]
        self._thread = Thread(target=self._server.run, name=setting.lower(), daemon=True)

    def __enter__(self) -> Self:
        host, port = self._listeners[0].socket.getsockname()[:2]
        log.info(self._event, host=host, port=port)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._listeners:
            listener.task_dispatcher.shutdown()
            listener.close()
