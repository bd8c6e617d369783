"""A story in the sandbox after which the status page has something in every part: for its pictures and tests.

The daemon, the people and the faults are those of any system test. Only the history of the day before, of which
the lag's chart is drawn, is put into the database by hand.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.support.harness import World
from tests.support.page import Page, open_page

REFUSED_NOTE, LOST_NOTE, REFUSED_PAGE = "see the ticket", "is this the disk again?", "certificate"
ENVIRON = {"STALENESS_SECONDS": "600", "SWEEP_INTERVAL_SECONDS": "60"}
"""A write without an answer stays unknown for so long that the page can be looked at."""


@dataclass(frozen=True, slots=True)
class Showcase:
    """The daemon's page, and the alerts of the story by what there is to see of them."""

    page: Page
    told: str
    dead: str
    apart: str
    waiting: str


def show(world: World, **environ: str) -> Showcase:
    """Tell the story; returns once the page shows the end of it."""
    world.faults(
        _fault("400", f"*{'/notes'}", REFUSED_NOTE, code=2019, message="Product Limit Reached"),
        _fault("refuse_before", "*/notes", LOST_NOTE, times=1),
        _fault("400", "/incidents", REFUSED_PAGE, code=2001),
    )
    told = world.raise_alert("db-primary is down", priority="P1", description="replication stopped at 14:02")
    page = open_page(world, **(ENVIRON | environ))
    world.until(lambda: world.is_paged(told), "the first page")
    dead = world.raise_alert("disk 91 % full on web-3", priority="P3", user="Grafana")
    apart = world.raise_alert("checkout takes longer than 2 s", priority="P2", user="Grafana")
    world.until(lambda: world.is_paged(dead) and world.is_paged(apart), "the pages")
    add_history(world)
    world.customer(told, "notes", text="it began after the 14:00 deploy")
    world.until(lambda: world.is_told(told, "deploy"), "Ana's note")
    world.engineer(told, "acknowledge")
    world.engineer(apart, "acknowledge", user="Omar Haddad")
    world.until(lambda: all(world.alert(each)["acknowledged"] for each in (told, apart)), "the acknowledgements")
    world.engineer(told, "notes", text="failing over to db-2 now")
    world.until(lambda: world.is_noted(told, "db-2 now"), "Jane's note")
    world.customer(apart, "unacknowledge", user="Ben Okafor")
    world.until(lambda: world.is_told(apart, "]") or "unacknowledge" in str(world.incident_notes(apart)), "told")
    world.customer(dead, "notes", text=REFUSED_NOTE, user="Grafana")
    world.customer(dead, "notes", text=LOST_NOTE)
    waiting = world.raise_alert("certificate of api.example.com ends in 3 days", priority="P2", user="Grafana")
    states = {"dead": 1, "sent": 1, "planned": 1}
    world.until(lambda: all(world.standing()[name] >= number for name, number in states.items()), "all the states")
    world.until(lambda: "Pages wait" in page.text() or "page waits" in page.text(), "the page that waits")
    return Showcase(page, told, dead, apart, waiting)


def _fault(do: str, path: str, contains: str, **more: object) -> dict[str, object]:
    about = {"vendor": "pagerduty", "method": "POST", "path": path, "contains": contains, "times": 0}
    return {"do": do, **about, **more}


def add_history(world: World) -> None:
    """Put a day of writes into the database, of which an hour was slow: an outage of a vendor."""
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = []
    for minutes in range(70, 23 * 60, 19):
        slow = 6 * 60 < minutes < 7 * 60
        seconds = (
            40.0 * (minutes % 37) if slow else 0.6 + (minutes * 7 % 23) / 6 + (90 if minutes % 11 == 0 else 0)
        )
        done = now - timedelta(minutes=minutes)
        rows.append((f"history {minutes}", done - timedelta(seconds=seconds), done))
    with closing(sqlite3.connect(world.database, timeout=10)) as connection:
        connection.executemany(
            "INSERT INTO actions (route, key, kind, alert_id, reason, at, person, text, body, urgency, mark,"
            " status, attempts, plain, request_id, result_id, error, planned_at, settled_at) VALUES ('default', ?,"
            " 'pagerduty.add_note', 'history', 'a day before', ?, '', '', '', '', '', 'done', 0, 0,"
            " '', '', '', ?, ?)",
            [(key, str(acted), str(acted), str(done)) for key, acted, done in rows],
        )
        connection.commit()
