"""What an error tells of a request: whether it can have left this machine."""

import ssl
from typing import Any

import pytest
import requests
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)

from reconciler.vendors.unsent import never_sent

HOST: Any = HTTPConnection("vendors.invalid")
POOL = HTTPConnectionPool("vendors.invalid")


def wrapped(cause: Exception) -> requests.ConnectionError:
    """As `requests` raises what urllib3 has met."""
    return requests.ConnectionError(MaxRetryError(POOL, "/", cause))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (wrapped(NewConnectionError(HOST, "refused")), "no connection could be made"),
        (wrapped(ConnectTimeoutError(HOST, "late")), "no connection in time"),
        (requests.ConnectTimeout(), "no connection in time"),
        (wrapped(ssl.SSLCertVerificationError("self-signed")), "the server's certificate is not trusted"),
        (wrapped(ProxyError("no", OSError("Tunnel connection failed: 407 Login"))), "407: it wants a login"),
        (wrapped(ProxyError("no", OSError("Tunnel connection failed: 502 Bad"))), "(it answers 502)"),
        (requests.exceptions.ProxyError("secret@proxy"), "the proxy made no connection"),
    ],
)
def test_a_connection_that_was_never_made_is_told_with_its_reason(error: Exception, said: str) -> None:
    assert said in never_sent(error)
    assert "secret" not in never_sent(error)


@pytest.mark.parametrize(
    "error",
    [
        wrapped(ReadTimeoutError(POOL, "/", "late")),
        wrapped(ProtocolError("aborted", ConnectionResetError())),
        requests.exceptions.SSLError("bad record mac"),
        requests.exceptions.ChunkedEncodingError(),
        OSError("anything"),
    ],
)
def test_any_other_error_leaves_it_open_whether_the_request_was_sent(error: Exception) -> None:
    assert never_sent(error) == ""


def test_an_error_during_the_handshake_of_tls_comes_before_the_request() -> None:
    def do_handshake() -> None:
        raise OSError("reset")

    with pytest.raises(OSError, match="reset") as caught:
        do_handshake()
    assert never_sent(wrapped(caught.value)) == "the TLS handshake failed"


def test_errors_that_name_each_other_end_the_search() -> None:
    one, other = OSError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    assert never_sent(one) == ""
