"""What the demo of a move looks at: the alert under its new id, and its incident."""

from reconciler.cli.demo_migration import _alert_notes, _incident_notes


def test_notes_are_read_of_the_alert_that_was_moved() -> None:
    alerts = [{"id": "new-1", "notes": [{"note": "a"}, {"note": "b"}]}, {"id": "new-2", "notes": [{"note": "c"}]}]
    incidents = [{"notes": [{"content": "d"}]}, {"notes": [{"content": "e"}]}]
    state = {"jsm": {"alerts": alerts}, "pagerduty": {"incidents": incidents}}
    assert (_alert_notes(state, "new-1"), _incident_notes(state)) == ("a\nb", "d")
