"""HEARTBEAT_URL: an address that is asked while all is well, and whose owner alerts when that stops.

Whoever knows the address can report that all is well. It is a secret, and no error contains it.
"""

import requests
from urllib3.exceptions import HTTPError

from reconciler.errors import Misconfigured, NotExecuted, ReconcilerError, Transient
from reconciler.vendors.deadline import WatchedAdapter, exchange
from reconciler.vendors.ports import LONGEST_PING
from reconciler.vendors.session import AGENT, cookieless, take_environment
from reconciler.vendors.unsent import never_sent

_GOOD = range(200, 300)
_REDIRECTIONS = range(300, 400)


class HeartbeatUrl:
    """The address. Only the status of its answer counts; no cookie is kept, and no redirection is followed."""

    name = "url"

    def __init__(self, url: str) -> None:
        self._requests = cookieless()
        for scheme in ("https://", "http://"):
            self._requests.mount(scheme, WatchedAdapter(max_retries=0))
        self.use(url)

    def use(self, url: str) -> None:
        """Ask this address from now on. Misconfigured if the proxy or the certificates for it cannot be used."""
        take_environment(self._requests, url)
        self._url = url

    def ping(self) -> None:
        """Ask it."""
        failure = self._asked()
        if failure is not None:
            raise failure  # here, where the original error, which has the address, is not even its context

    def _asked(self) -> ReconcilerError | None:
        """What is wrong; None if it has answered well."""
        with exchange(LONGEST_PING) as one:
            try:
                with self._requests.get(
                    self._url,
                    headers={"User-Agent": AGENT},
                    timeout=LONGEST_PING,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return _refusal(response.status_code)
            except (requests.exceptions.RequestException, HTTPError, OSError, ValueError) as error:
                return _failure(error, expired=one.expired)


def _refusal(status: int) -> ReconcilerError | None:
    if status in _GOOD:
        return None
    if status in _REDIRECTIONS:
        return Misconfigured(f"HEARTBEAT_URL: it answers {status}, a redirection; give the address it leads to")
    return Transient(f"HEARTBEAT_URL: it answers {status}; see whether the address is right, and its check there")


def _failure(error: Exception, *, expired: bool) -> ReconcilerError:
    before = never_sent(error)
    if before:
        return NotExecuted(f"HEARTBEAT_URL: {before}; check the address, the network and any proxy")
    if expired or isinstance(error, requests.exceptions.Timeout):
        return Transient(f"HEARTBEAT_URL: no answer within {LONGEST_PING:g} s")
    if isinstance(error, ValueError):
        return Misconfigured("HEARTBEAT_URL: no request can be made of it; copy the address whole")
    return Transient("HEARTBEAT_URL: the connection broke before the answer")
