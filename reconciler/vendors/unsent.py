"""Detection of requests that failed without an answer and certainly never left this machine."""

import re
import ssl
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import ProxyError as TunnelError

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_CA = "a private CA, such as a proxy's that looks into TLS, is named by SSL_CERT_FILE or REQUESTS_CA_BUNDLE"
_BEFORE_SENDING = {
    "cert_verify": f"the file of trusted certificates is gone ({_CA})",
    "do_handshake": "the TLS handshake failed",
}
"""Steps of a request before anything is sent, by the functions that take them."""
_PROXY_SAYS = {
    "403": " (403: it forbids this address)",
    "407": " (407: it wants a login, which belongs into HTTPS_PROXY)",
}


def never_sent(error: BaseException) -> str:
    """Why the request cannot have left this machine; empty if it may have."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted ({_CA})"
        if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
            return "no connection in time"
        if isinstance(cause, requests.exceptions.ConnectTimeout):
            return "no connection in time"
        if isinstance(cause, requests.exceptions.ProxyError | TunnelError):
            return f"the proxy made no connection{_proxy_says(error)}"
        if isinstance(cause, NewConnectionError):
            return "no connection could be made (refused, unreachable, or the name is unknown)"
    steps = {frame.f_code.co_name for one in _causes(error) for frame, _ in walk_tb(one.__traceback__)}
    return next((words for step, words in _BEFORE_SENDING.items() if step in steps), "")


def _proxy_says(error: BaseException) -> str:
    """The meaning of the proxy's status. Nothing of the proxy's own text is repeated."""
    found = [_TUNNEL.search(str(cause)) for cause in _causes(error) if isinstance(cause, OSError)]
    status = next((match[1] for match in found if match), "")
    return _PROXY_SAYS.get(status, f" (it answers {status})" if status else "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and every error that it wraps or was caused by."""
    seen: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    yield from seen
