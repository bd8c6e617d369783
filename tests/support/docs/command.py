"""`reconciler` on the PATH of a page's shell: a small client, for which the tests' launcher starts the command.

The launcher forks a process that has imported the product, which saves most of a command's processor time. The
client waits for the command, passes signals on to it, and exits with its status.
"""

import json
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.launcher import Launched, launch

_LENGTH = 8
_CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({path!r})
    message = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(connection, [len(message).to_bytes({length})], [1, 2])
    connection.sendall(message)
    answers = connection.makefile()
    pid = int(answers.readline())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    sys.exit(int(answers.readline()) % 256)
"""


class Commands:
    """Starts what the clients ask for; ends with all that it has started."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._started: list[Launched] = []
        self._listener = socket.socket(socket.AF_UNIX)
        path = str(folder / "socket")
        self._listener.bind(path)
        self._listener.listen()
        client = folder / "reconciler"
        client.write_text(_CLIENT.format(python=sys.executable, path=path, length=_LENGTH), encoding="utf-8")
        client.chmod(0o755)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for command in self._started:
            command.kill()
            command.wait()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head, fds, _, _ = socket.recv_fds(connection, _LENGTH, 2)
            with connection.makefile("rb") as asked, os.fdopen(fds[0], "w") as out, os.fdopen(fds[1], "w") as err:
                arguments, environ, folder = json.loads(asked.read(int.from_bytes(head)))
                command = launch(arguments, environ, Path(folder), out, err)
            self._started.append(command)
            connection.sendall(f"{command.pid}\n".encode())
            connection.sendall(f"{command.wait()}\n".encode())
