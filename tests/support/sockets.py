"""Reading from a socket."""

import socket


def received(connection: socket.socket, length: int) -> bytes:
    """Exactly this many bytes, in however many pieces they arrive. EOFError where the other end closes before."""
    found = b""
    while len(found) < length:
        part = connection.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return found
