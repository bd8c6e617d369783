"""A throwaway certificate authority, and TLS in front of a server on loopback."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.servers import server


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority's certificate, and a server's that it has signed, for 127.0.0.1."""

    ca: Path
    chain: Path


def authority(folder: Path) -> Authority:
    """Made by the command `openssl`, without which the test is skipped."""
    if shutil.which("openssl") is None:
        pytest.skip("the command `openssl`, which makes the certificates, is missing")
    folder.mkdir(exist_ok=True)
    ca, ca_key, chain, key = (folder / name for name in ("ca.pem", "ca.key", "server.pem", "server.key"))
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    own = ("-addext", "keyUsage=critical,keyCertSign,digitalSignature")
    _run(*new, "-subj", "/CN=throwaway authority", *own, "-keyout", ca_key, "-out", ca)
    signed = ("-CA", ca, "-CAkey", ca_key, "-addext", "subjectAltName=IP:127.0.0.1")
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
    _run(*new, "-subj", "/CN=127.0.0.1", *signed, *leaf, "-keyout", key, "-out", chain)
    chain.write_text(chain.read_text() + key.read_text())
    return Authority(ca, chain)


def hashed(certificate: Path, folder: Path) -> Path:
    """A folder of certificates as OpenSSL reads it."""
    name = _run("openssl", "x509", "-hash", "-noout", "-in", certificate).strip()
    (folder / f"{name}.0").write_bytes(certificate.read_bytes())
    return folder


def _run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def tls_before(url: str, who: Authority) -> Iterator[str]:
    """TLS in front of the server at `url`; yields the address to use instead."""
    parts = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(who.chain)

    def serve(connection: socket.socket) -> None:
        with (
            context.wrap_socket(connection, server_side=True) as outer,
            socket.create_connection((str(parts.hostname), parts.port or 80)) as inner,
        ):
            back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
            back.start()
            _pump(outer, inner)
            back.join()

    with server(serve) as (front, _):
        yield front.replace("http:", "https:")


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
