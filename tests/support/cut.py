"""A network between a process and PostgreSQL that can be cut: nothing passes, and neither end is told."""

import contextlib
import select
import socket
from pathlib import Path
from threading import Event, Thread
from typing import Self


class Network:
    """Listens on loopback and forwards to the server's socket in this folder, while it is not cut."""

    def __init__(self, folder: Path, database: str) -> None:
        self._socket = str(folder / ".s.PGSQL.5432")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._passes, self._closed = Event(), Event()
        self._passes.set()
        port = self._listener.getsockname()[1]
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/{database}"
        Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._passes.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self) -> None:
        """Let nothing pass any more."""
        self._passes.clear()

    def mend(self) -> None:
        """Let everything pass again, and first what has been waiting."""
        self._passes.set()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._socket)
            while not self._closed.is_set():
                for readable in select.select([client, server], [], [], 0.2)[0]:
                    self._passes.wait()
                    data = readable.recv(65536)
                    if not data:
                        return
                    (server if readable is client else client).sendall(data)
