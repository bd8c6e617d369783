"""People in JSM may edit and delete notes."""

import pytest

from tests.support.jsm import JsmBench


def test_a_note_is_edited_and_deleted() -> None:
    world = JsmBench()
    alert = world.alert()
    world.act("jsm", alert, "notes", text="wrong")
    (note,) = world.get(f"/{alert}/notes")["values"]
    world.clock.advance(1)
    path = f"/jsm/alerts/{alert}/notes/{note['id']}"
    world.control("PUT", path, {"text": "right"})
    (edited,) = world.get(f"/{alert}/notes")["values"]
    assert edited == note | {"note": "right", "updatedAt": "2026-11-23T09:00:01Z"}
    world.control("DELETE", path)
    assert world.notes(alert) == []
    acts = world.control("GET", "/state")["journal"][-3:]
    assert [act["verb"] for act in acts] == ["note", "edit_note", "delete_note"]
    assert len({act["ref"] for act in acts}) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_notes_that_exist(method: str) -> None:
    world = JsmBench()
    path = f"/control/jsm/alerts/{world.alert()}/notes/1"
    assert world.call(method, path, {"text": "x"}).status == 404
