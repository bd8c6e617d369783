"""Cells, tables and times of the pages."""

from dataclasses import replace
from datetime import timedelta, timezone

from reconciler.web.view import Cell, Moment, Table, moment, pair_cells, pair_path, table, time_cell
from tests.support.builders import ALERT_ID, INCIDENT_ID, at, pair


def test_a_time_is_told_in_utc_with_its_date_if_that_is_not_todays() -> None:
    tokyo = at(0).astimezone(timezone(timedelta(hours=9)))
    assert moment(tokyo) == Moment("2026-11-23 09:00:00 UTC", "2026-11-23T09:00:00+00:00")
    assert time_cell(at(60), tokyo) == Cell("09:00:00", time="2026-11-23T09:00:00+00:00")
    assert time_cell(at(86400), tokyo).text == "2026-11-23 09:00:00"


def test_an_alert_and_its_incident_lead_to_their_story() -> None:
    assert pair_cells(ALERT_ID, pair()) == (
        Cell('#17 "Disk full"', "/pairs/a-1"),
        Cell("incident #4711", f"/pairs/{INCIDENT_ID}"),
    )
    assert pair_cells("a-2", None) == (Cell("alert a-2", "/pairs/a-2"), Cell("none"))
    assert pair_cells(ALERT_ID, replace(pair(status=None), incident_number=0))[1] == Cell("none")


def test_an_id_cannot_leave_its_place_in_an_address() -> None:
    assert pair_path("../x?y#z/\"'<") == "/pairs/..%2Fx%3Fy%23z%2F%22%27%3C"


def test_a_table_says_how_many_rows_it_leaves_out() -> None:
    rows = [(Cell(str(number)), Cell("x")) for number in range(25)]
    found = table("dead", "Dead", ("a", "b"), rows)
    assert (len(found.rows), found.more, found.count) == (20, "… and 5 more", 25)
    assert (table("dead", "Dead", ("a", "b"), rows[:20]).more, found.is_list) == ("", False)
    assert Table("paused", "Paused", ("what",), ()).is_list
