"""Every error that this program raises on purpose, and what to do about it.

ReconcilerError
├── Misconfigured     the operator must change something; reported once per change of state
│   └── Refused       scope account: key, user, service or plan is turned away; pause the side, probe, lose nothing
├── Transient         it may work later; `retry_after` seconds when the vendor said so
│   ├── NotExecuted   certain that nothing happened: try again freely
│   │   ├── RateLimited   the rate limiter leaves no room: nothing was sent, and nothing is wrong
│   │   │   └── Occupied  another pair's large answers are in memory: this one's are read after them
│   │   └── Blocked   scope network path: a proxy, a firewall or another server answered instead of the vendor
│   └── Unknown       the call may have happened or may yet happen: ask, never guess
├── ObjectError       scope object: one address is refused while others pass; only that action backs off
│   ├── Missing       404: what was addressed is not there, or not there yet, or not visible to the key
│   └── Forbidden     403 on one address
└── Permanent         scope request: the vendor refuses this request for what it says (`status` is HTTP's)
    └── Duplicate     an open incident with this key exists: adopt it

Only Permanent may make an action dead, and never a creation. Which answer means which error is decided in
`vendors/error_scopes.py`.
"""

from typing import Self

LONGEST = 2_000
"""Characters of an error's text, which may quote a vendor: it is logged, stored and shown."""


class ReconcilerError(Exception):
    """Base of all errors below; its text is one line fit for an operator, free of secrets, and cut to LONGEST.

    `request_id` is the vendor's id of the request that failed; empty if it gave none.
    """

    request_id = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message if len(message) <= LONGEST else message[: LONGEST - 1] + "…")

    def __copy__(self) -> Self:
        """The same error with no traceback: each thread that meets a stored one raises its own.

        The default would call the class with the text alone, which is too little for some below.
        """
        made = type(self).__new__(type(self), *self.args)
        made.__dict__.update(self.__dict__)
        return made


class Misconfigured(ReconcilerError):
    """A setting is wrong, and only the operator can fix it. The text names the variable and the fix.

    `state` identifies what is wrong if the text has figures that change while it lasts; empty: the text does.
    """

    state = ""


class PersonsToken(Misconfigured):
    """The key is a person's own token, in whose name everything would be done.

    `pages`: an incident that is created with it pages somebody. While that person is on call, PagerDuty creates it
    acknowledged in that person's name.
    """

    def __init__(self, message: str, *, pages: bool) -> None:
        super().__init__(message)
        self.pages = pages


class RefusedQuery(Misconfigured):
    """The vendor cannot search by a route's query, or by the query that unites those of several routes."""


class Refused(Misconfigured):
    """The account is refused: its key, user, service or plan. Every other request would fail in the same way."""


class Transient(ReconcilerError):
    """Worth trying again. `retry_after` is in seconds, None when the vendor gave no figure."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotExecuted(Transient):
    """The request certainly had no effect: 429, or the connection was never made."""


class RateLimited(NotExecuted):
    """The rate limiter leaves no room yet. This is not a fault: the vendor's limit is being kept."""


class Occupied(RateLimited):
    """Another pair's large answers are in memory. This is not a fault: this pair's are read after them."""


class Blocked(NotExecuted):
    """Something on the network path answered instead of the vendor: a proxy, a firewall, a web page."""


class Unknown(Transient):
    """The request may have had its effect, or may have it later: time-out, reset, 5xx, cut answer."""


class ObjectError(ReconcilerError):
    """The vendor refuses one object, while requests about others may pass."""


class Missing(ObjectError):
    """404: there is no such thing (any more, or yet), or it is not visible to our key."""


class Forbidden(ObjectError):
    """403 for one address: our key may not see or change that object, or a firewall rejects its content."""


class Permanent(ReconcilerError):
    """The vendor refuses this request because of its content (400, 413, 422). `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Duplicate(Permanent):
    """PagerDuty has an open incident with this `incident_key` on the service already: adopt that one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 400)


def is_unreachable(error: ReconcilerError) -> bool:
    """Whether no connection was made, so that every other request would fail in the same way.

    A rate limit (429) is not that, nor is an answer from something on the network path.
    """
    return isinstance(error, NotExecuted) and not isinstance(error, Blocked) and error.retry_after is None
