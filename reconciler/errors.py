"""Every error that this program raises on purpose, and what to do about it.

ReconcilerError
├── Misconfigured     the operator must mend something; say it once per change of state
│   └── Refused       401 or 403: the vendor turns our key away; stop writing there, ask slowly
├── Transient         it may work later; `retry_after` seconds when the vendor said so
│   ├── NotExecuted   certain that nothing happened: try again freely
│   └── Unknown       the call may have happened or may yet happen: ask, never guess
└── Permanent         the vendor will refuse this very request every time (`status` says how)
    ├── Missing       404: what was addressed is not there
    └── Duplicate     an open incident with this key exists: adopt it
"""


class ReconcilerError(Exception):
    """Base of all errors below; its text is one line fit for an operator, free of secrets."""


class Misconfigured(ReconcilerError):
    """A setting is wrong, and only the operator can mend it. The text names the variable and the mend."""


class Refused(Misconfigured):
    """401 or 403: the key is wrong, of the wrong kind or region, or lacks a right."""


class Transient(ReconcilerError):
    """Worth trying again. `retry_after` is in seconds, None when the vendor gave no figure."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotExecuted(Transient):
    """The request certainly had no effect: 429, or the connection was never made."""


class Unknown(Transient):
    """The request may have had its effect, or may have it later: time-out, reset, 5xx, cut answer."""


class Permanent(ReconcilerError):
    """The vendor refuses this request for what it says (400, 404, 409, 413, 422 …). `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Missing(Permanent):
    """404: there is no such thing (any more), or it is not visible to our key."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 404)


class Duplicate(Permanent):
    """PagerDuty has an open incident with this `incident_key` on the service already: adopt that one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 400)
