"""A server on loopback whose every byte a test decides."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[tuple[str, list[int]]]:
    """A server that passes each connection to `serve`; yields its address and a list of accepted connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[int] = []
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def loop() -> None:
        with suppress(OSError):
            while True:
                connection, (_, port) = listener.accept()
                accepted.append(port)
                thread = threading.Thread(target=handle, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

    main = threading.Thread(target=loop, daemon=True)
    main.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", accepted
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        main.join(2)
        for thread in threads:
            thread.join(2)


def read_request(connection: socket.socket) -> bytes:
    """One whole request: head and body."""
    found = b""
    while b"\r\n\r\n" not in found:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError
        found += chunk
    head, _, content = found.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(content) < length:
        content += connection.recv(65536)
    return found


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()
