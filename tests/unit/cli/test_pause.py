"""`pause` and `resume`: their options."""

from datetime import timedelta

import click
import pytest

from reconciler.cli.pause import LONGEST_REASON, Duration, Reason
from reconciler.core.model import Side
from reconciler.store.database import open_database
from reconciler.store.migrate import upgrade
from tests.support.command import Command


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("1h30m", 5400)]
)
def test_a_length_of_time_has_units(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "2 h", "h", "-1h", "0s", "31d", "9" * 30 + "s", "1w"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


def test_a_reason_is_one_line_that_is_not_empty() -> None:
    assert Reason().convert(" a\n move ", None, None) == "a move"
    for words in (" ", "x" * (LONGEST_REASON + 1)):
        with pytest.raises(click.BadParameter):
            Reason().convert(words, None, None)


def test_a_pause_is_begun_and_ended_with_the_database_alone(command: Command) -> None:
    database = open_database("sqlite:///reconciler.db")
    upgrade(database)
    done = command("pause", "--to", "pagerduty", "--for", "2h", "--reason", "maintenance")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("PagerDuty: paused by ")
    with database.reading() as unit:
        (pause,) = unit.pauses.all()
    assert (pause.reason, pause.pages, "@" in pause.who) == ("maintenance", False, True)
    assert command("resume", "--to", "opsgenie").out == "Nothing is paused there: nothing to resume.\n"
    assert command("resume").out == "PagerDuty: resumed\n"
    database.close()


def test_the_alert_side_is_paused_under_either_products_name(command: Command) -> None:
    database = open_database("sqlite:///reconciler.db")
    upgrade(database)
    assert command("pause", "--to", "jsm", "--reason", "move").out.startswith("Opsgenie: paused by ")
    with database.writing() as unit:
        (pause,) = unit.pauses.all()
        unit.cursors.save(source="jsm")
    assert pause.side is Side.ALERTS
    assert command("resume", "--to", "opsgenie").out == "JSM: resumed\n"
    database.close()
