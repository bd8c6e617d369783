"""What users do by hand in JSM: what they do in Opsgenie, and more with notes."""

from dataclasses import replace

from reconciler.sandbox.jsm import shapes
from reconciler.sandbox.opsgenie.people import People
from reconciler.sandbox.opsgenie.state import Record, StoredAlert
from reconciler.sandbox.wire import Json, Refused, whole_milliseconds


class JsmPeople(People):
    """Acts as a user. A note is named by its id in JSM."""

    def edit_note(self, alert_id: str, user: str, note_id: str, text: str) -> Json:
        """Edit a note."""
        now = self.settle()
        stored, place = self._note(alert_id, note_id)
        edited = replace(stored.notes[place], text=text, edited_at=whole_milliseconds(now))
        stored.notes[place] = edited
        self._did(user, "edit_note", stored, edited, text)
        return shapes.note_json(edited, str)

    def delete_note(self, alert_id: str, user: str, note_id: str) -> None:
        """Delete a note."""
        self.settle()
        stored, place = self._note(alert_id, note_id)
        self._did(user, "delete_note", stored, stored.notes.pop(place))

    def _note(self, alert_id: str, note_id: str) -> tuple[StoredAlert, int]:
        stored = self.find(alert_id)
        ids = [shapes.note_id(record) for record in stored.notes]
        if note_id not in ids:
            raise Refused(f"no such note: {note_id}", 404)
        return stored, ids.index(note_id)

    def _did(self, user: str, verb: str, stored: StoredAlert, record: Record, text: str = "") -> None:
        account, ref = self._account, record.copy_of or record.token
        account.people.add(user)
        account.journal.act(
            account.clock.now(), account.side, user, verb, alert_id=stored.now.id, text=text, ref=ref
        )
