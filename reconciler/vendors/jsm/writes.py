"""Writes to JSM's alerts: as our own user, or in the engineer's name where there is an integration's key.

The integration API cannot un-acknowledge. What it refuses is written as our own user instead: better without the
engineer's name than not at all.
"""

from collections.abc import Callable

from reconciler.errors import Misconfigured, ObjectError, Permanent, ReconcilerError
from reconciler.vendors.http import Http
from reconciler.vendors.integration_api import NOTE_LIMIT, NamedWriting, cut
from reconciler.vendors.jsm.roads import Road, Roads, Write, told
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.json_fields import reference, segment
from reconciler.vendors.ports import AlertWrite

RESERVED = frozenset({"requests", "alias", "count"})
"""Words that in place of an alert's id address something else."""
_CERTAIN = (Misconfigured, ObjectError, Permanent)
"""Refusals after which nothing has happened, and which a second try in a name would meet again."""


class JsmWriting:
    """Writes. `named` writes in an engineer's name; None without an integration's key.

    `notice` takes what an operator should know.
    """

    def __init__(
        self, http: Http, site: Site, named: NamedWriting | None, roads: Roads, notice: Callable[[str], None]
    ) -> None:
        self._http = http
        self._site = site
        self._named = named
        self._roads = roads
        self._notice = notice

    def acknowledge(self, alert_id: str, user: str) -> AlertWrite:
        """Acknowledge, in the name of `user` if possible."""
        return self._either(
            Write(alert_id, "acknowledge"),
            lambda named: named.acknowledge(alert_id, user),
            lambda: self._state(alert_id, "acknowledge"),
        )

    def unacknowledge(self, alert_id: str, user: str) -> AlertWrite:  # noqa: ARG002 - the port has it
        """Un-acknowledge, always as our own user."""
        return self._state(alert_id, "unacknowledge")

    def add_note(self, alert_id: str, user: str, text: str) -> AlertWrite:
        """Add a note, in the name of `user` if possible."""
        return self._either(
            Write(alert_id, "notes", text),
            lambda named: named.add_note(alert_id, user, text),
            lambda: self._note(alert_id, text),
        )

    def _either(
        self, write: Write, in_name: Callable[[NamedWriting], AlertWrite], as_us: Callable[[], AlertWrite]
    ) -> AlertWrite:
        if self._named is None:
            return as_us()
        if self._roads.next_of(write) is Road.ACCOUNT:
            self._notice("JSM: a write in the engineer's name was accepted and failed: written as our own user")
            return as_us()
        try:
            accepted = told(Road.KEY, in_name(self._named).request_id)
        except _CERTAIN as error:
            return self._instead(error, as_us)
        self._roads.accepted(accepted, write)
        return AlertWrite(accepted)

    def _instead(self, error: ReconcilerError, as_us: Callable[[], AlertWrite]) -> AlertWrite:
        written = as_us()
        self._notice(f"JSM: written as our own user, because the engineer's name was refused: {error}")
        return written

    def _state(self, alert_id: str, action: str) -> AlertWrite:
        answer = self._http.write("POST", self._path(alert_id, action), None)
        return AlertWrite(told(Road.ACCOUNT, reference(answer.json, "requestId")))

    def _note(self, alert_id: str, content: str) -> AlertWrite:
        answer = self._http.write("POST", self._path(alert_id, "notes"), {"note": cut(content, NOTE_LIMIT)})
        return AlertWrite(note_id=reference(answer.json))

    def _path(self, alert_id: str, action: str) -> str:
        return self._site.alerts(f"/{segment(alert_id, 'JSM: alert', RESERVED)}/{action}")
