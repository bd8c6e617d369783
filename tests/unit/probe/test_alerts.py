import pytest

from reconciler.probe.objects import PREFIX, TAG, Kind
from tests.support.in_process import SOURCES
from tests.support.probing import bench

BOTH = pytest.mark.parametrize("source", sorted({*SOURCES} - {"jsm named"}))


@BOTH
def test_a_new_alert_has_the_lowest_priority_and_is_found_by_its_alias(source: str) -> None:
    made = bench(source)
    one, reply = made.probe.trial.alerts.create()
    assert reply.body["requestId"]
    row = made.probe.trial.alerts.by_alias(one.key)
    assert (row["message"], row["priority"], row["tags"]) == (one.title, "P5", [TAG])
    known = made.probe.trial.alerts.known(one, row)
    assert known.id in known.url
    assert made.probe.trial.alerts.alert(known.id)["alias"] == one.key


@BOTH
def test_notes_are_read_page_by_page(source: str) -> None:
    made = bench(source)
    alerts, one = made.probe.trial.alerts, made.probe.trial.new_alert()
    for number in range(5):
        made.probe.trial.noted(one.id, f"note {number}")
    whole, parts = alerts.notes(one.id), alerts.notes(one.id, size=2)
    assert (len(whole.rows), whole.pages, parts.pages) == (5, 1, 3)
    assert {*map(alerts.note_key, whole.rows)} == {*map(alerts.note_key, parts.rows)}


@BOTH
def test_open_alerts_of_earlier_runs_are_found_by_tag_and_title(source: str) -> None:
    made = bench(source)
    people = made.sandbox.opsgenie
    people.create_alert(f"{PREFIX} 0a1b alert 1: may be removed", user="Ana Ruiz", tags=[TAG])
    people.create_alert(f"{PREFIX} is broken, please help", user="Ana Ruiz", tags=[TAG])
    people.create_alert("database is down", user="Ana Ruiz", tags=[TAG])
    assert made.probe.trial.alerts.adopt_leftovers() == 1
    (one,) = made.probe.objects.left()
    assert one.kind is Kind.ALERT
    made.probe.trial.alerts.remove(one)
    assert sorted(made.open()) == ["database is down", f"{PREFIX} is broken, please help"]


@BOTH
def test_an_alert_that_was_never_seen_is_removed_by_its_alias(source: str) -> None:
    made = bench(source)
    one, _ = made.probe.trial.alerts.create()
    assert one.id == ""
    assert made.probe.trial.alerts.remove(one)
    assert made.open() == []


def test_an_act_bears_the_name_of_the_run_or_another_one() -> None:
    made = bench()
    one = made.probe.trial.new_alert()
    made.probe.trial.acted(one.id, "acknowledge")
    assert made.probe.trial.alerts.alert(one.id)["owner"] == made.probe.trial.alerts.user
    made.probe.trial.acted(one.id, "unacknowledge")
    made.probe.trial.acted(one.id, "acknowledge", "Somebody Else")
    assert made.probe.trial.alerts.alert(one.id)["owner"] == "Somebody Else"
