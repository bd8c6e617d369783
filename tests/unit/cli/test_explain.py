import json
from pathlib import Path

from reconciler.core.journal import Entry, Event
from reconciler.core.model import Side
from reconciler.store.database import open_database
from tests.support.builders import at, pair
from tests.support.command import Command


def with_a_pair(command: Command) -> None:
    assert command("db", "upgrade").status == 0
    database = open_database("sqlite:///reconciler.db")
    with database.writing() as unit:
        unit.snapshot.save_pairs([pair(swept_at=at(0))])
        unit.journal.append([Entry(at(1), Event.SEEN, "a-1", Side.ALERTS, who="Ana Ruiz", words="acknowledged")])
    database.close()


def test_a_tracked_alert_needs_the_database_alone(command: Command) -> None:
    with_a_pair(command)
    done = command("explain", "17")
    assert (done.status, done.err) == (0, "")
    assert "seen      Ana Ruiz: acknowledged" in done.out
    document = json.loads(command("explain", " #17 ", "--json").out)
    assert document["stories"][0]["alert_id"] == "a-1"
    assert document["stories"][0]["alert_url"] == "https://app.opsgenie.com/alert/detail/a-1/details"


def test_an_id_known_nowhere_ends_with_status_1_and_names_the_keys(command: Command) -> None:
    done = command("explain", "99")
    assert (done.status, done.err) == (1, "")
    assert "set OPSGENIE_API_KEY and PAGERDUTY_API_KEY" in done.out
    assert "no reconciler has finished a first start" in done.out.replace("No", "no")
    assert json.loads(command("explain", "99", "--json").out)["known"] is False


def test_bad_usage_and_configuration_end_with_status_2(command: Command) -> None:
    assert command("explain").status == 2
    for empty in ("", " ", "#"):
        done = command("explain", empty)
        assert (done.status, "name an alert or an incident" in done.err) == (2, True)
    done = command("explain", "17", OPSGENIE_API_URL="nowhere")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("reconciler: OPSGENIE_API_URL: ")


def test_the_file_of_settings_is_the_one_that_is_named(command: Command, tmp_path: Path) -> None:
    with_a_pair(command)
    other = tmp_path / "other.env"
    other.write_text("DATABASE_URL=sqlite:///reconciler.db\n")
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///another.db\n")
    assert command("explain", "17").status == 1
    assert command("--env-file", str(other), "explain", "17").status == 0
