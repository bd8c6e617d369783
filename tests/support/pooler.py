"""A connection pooler in transaction mode, as PgBouncer is one: clients share the server's sessions."""

import contextlib
import select
import socket
import struct
from pathlib import Path
from threading import Lock, Thread
from typing import Self

from tests.support.sockets import received

READY, PARAMETER, TERMINATE = b"Z", b"S", b"X"
IDLE = b"I"
_NO_ENCRYPTION = {80877103, 80877104}


class Pooler:
    """Listens on loopback. With `in_turn` it hands out the longest idle session first, else the last used one."""

    def __init__(self, folder: Path, database: str, sessions: int, *, in_turn: bool = False) -> None:
        self._folder = folder
        self._database = database
        self._in_turn = in_turn
        self._guard = Lock()
        opened = [self._session() for _ in range(sessions)]
        self._free = [session for session, _ in opened]
        self._greeting = opened[0][1]
        self._listener = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        """The value of DATABASE_URL."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self._listener.getsockname()[1]}/{self._database}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for session in self._free:
            session.close()

    def _session(self) -> tuple[socket.socket, bytes]:
        """A session with the server, and the server's greeting."""
        session = socket.socket(socket.AF_UNIX)
        session.connect(str(self._folder / ".s.PGSQL.5432"))
        body = struct.pack("!i", 196608) + f"user\0postgres\0database\0{self._database}\0\0".encode()
        session.sendall(struct.pack("!i", len(body) + 4) + body)
        greeting = b""
        while True:
            kind, message = _message(session)
            greeting += message if kind == PARAMETER else b""
            if kind == READY:
                return session, greeting

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            self._greet(client)
            while True:
                kind, message = _message(client)
                if kind == TERMINATE:
                    return
                with self._guard:
                    session = self._free.pop(0 if self._in_turn else -1)
                session.sendall(message)
                self._relay(client, session)
                with self._guard:
                    self._free.append(session)

    def _greet(self, client: socket.socket) -> None:
        while True:
            length, code = struct.unpack("!ii", received(client, 8))
            received(client, length - 8)
            if code not in _NO_ENCRYPTION:
                break
            client.sendall(b"N")
        hello = b"R" + struct.pack("!ii", 8, 0) + self._greeting + b"K" + struct.pack("!iii", 12, 1, 1)
        client.sendall(hello + READY + struct.pack("!i", 5) + IDLE)

    def _relay(self, client: socket.socket, session: socket.socket) -> None:
        """Relay in both directions until the end of a transaction."""
        while True:
            for readable in select.select([client, session], [], [])[0]:
                kind, message = _message(readable)
                (session if readable is client else client).sendall(message)
                if readable is session and kind == READY and message[5:] == IDLE:
                    return


def _message(peer: socket.socket) -> tuple[bytes, bytes]:
    head = received(peer, 5)
    return head[:1], head + received(peer, struct.unpack("!i", head[1:])[0] - 4)
