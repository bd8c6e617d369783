"""The lines and the document of an examination."""

import json
from dataclasses import replace
from typing import Any

from reconciler.core.matching import Match, Verdict
from reconciler.core.migration import Found, MovedPair, Standing, Unknown
from reconciler.core.product import JSM, OPSGENIE
from reconciler.operations.migrating import Choices, Examination, Obstacle
from reconciler.operations.migration_text import as_data, as_lines, obstacle_lines
from tests.support.builders import ANA, alert, at, note, pair

NOW = at(3600)
SAME = Found(pair(), Verdict(Match.SAME, alert()))


def made(found: tuple[Found, ...] = (SAME,), moved: tuple[MovedPair, ...] = (), **more: Any) -> Examination:
    whole = Examination(OPSGENIE, JSM, NOW, found, moved, Unknown(), (), (), None, Choices())
    return replace(whole, **more)


def test_what_is_the_same_is_only_counted() -> None:
    assert as_lines(made(moved=(MovedPair("a-1", pair(), Standing.EQUAL),))) == ["1 pair: 1 same"]
    assert as_lines(made(())) == ["0 pairs"]


def test_every_other_pair_has_a_line() -> None:
    other = replace(pair(), alert_id="a-2", tiny_id="18", incident_number=5)
    gone, over = (
        replace(other, alert_id="a-3"),
        replace(other, alert_id="a-4", alerts=replace(other.alerts, open=False)),
    )
    rekeyed = Found(pair(), Verdict(Match.REKEYED, alert(id="j-1")))
    differs = Found(other, Verdict(Match.DIFFERS, alert(id="a-2")))
    missing = tuple(Found(each, Verdict(Match.MISSING)) for each in (gone, over))
    moved = (
        MovedPair("a-1", replace(pair(), alert_id="j-1"), Standing.EQUAL, news=(note("n", ANA, "x"),)),
        MovedPair("a-2", other, Standing.NEWS),
    )
    changed = "its state was changed in JSM since: the first cycle mirrors that"
    lines = as_lines(made((rekeyed, differs, *missing), moved))
    assert lines == [
        "4 pairs: 1 rekeyed, 1 differs, 2 missing",
        '  rekeyed    #17 "Disk full", incident #4711: is j-1 in JSM; 1 note to be mirrored',
        f'  differs    #18 "Disk full", incident #5: {changed}',
        '  missing    #18 "Disk full", incident #5',
        '  missing    #18 "Disk full", incident #5: is over or pages nobody: no longer read',
    ]


def test_a_state_that_has_not_arrived_and_a_same_alert_with_news_are_said() -> None:
    differs = Found(pair(), Verdict(Match.DIFFERS, alert()))
    line = as_lines(made((differs,), (MovedPair("a-1", pair(), Standing.UNSHARED),)))[1]
    assert line.endswith("its state in Opsgenie has not reached JSM: it is carried over")
    news = MovedPair("a-1", pair(), Standing.EQUAL, news=(note("n", ANA, "x"),))
    assert as_lines(made(moved=(news,)))[1].endswith(": 1 note to be mirrored")


def test_unknown_alerts_lateness_and_an_unread_source_are_said() -> None:
    unknown = Unknown((alert(id="n", tiny_id="3"),), (alert(id="o", tiny_id="4"),))
    lines = as_lines(made(unknown=unknown, settles_at=at(3700), ahead=None))
    assert lines[1:] == [
        '  new        #3 "Disk full", raised at 2026-11-23 09:00:00Z: the first cycle pages for it',
        '  unknown    #4 "Disk full", raised at 2026-11-23 09:00:00Z',
        "What was mirrored a moment ago may not show in JSM before 2026-11-23 10:01:40Z",
        "Opsgenie was not read: what was done there alone since the last poll will not be mirrored",
    ]


def test_an_obstacle_says_what_to_do() -> None:
    assert obstacle_lines(made(obstacles=(Obstacle("blind", "it sees nothing", "look"),))) == [
        "it sees nothing; look"
    ]


def test_the_document_has_all_of_it() -> None:
    rekeyed = Found(pair(), Verdict(Match.REKEYED, alert(id="j-1")))
    among = Found(replace(pair(), alert_id="a-2"), Verdict(Match.AMBIGUOUS, among=("x", "y")))
    moved = (MovedPair("a-1", replace(pair(), alert_id="j-1"), Standing.EQUAL),)
    whole = made(
        (rekeyed, among, replace(SAME, pair=replace(pair(), alert_id="a-3"))),
        moved,
        unknown=Unknown((), (alert(id="o"),)),
        settles_at=at(3700),
        obstacles=(Obstacle("ambiguous", "words", "remedy"),),
    )
    data = json.loads(json.dumps(as_data(whole)))
    assert (data["from"], data["to"], data["verdicts"]["rekeyed"]) == ("opsgenie", "jsm", 1)
    assert [(each["verdict"], each["new_alert_id"], each["among"]) for each in data["pairs"]] == [
        ("rekeyed", "j-1", []),
        ("ambiguous", None, ["x", "y"]),
    ]
    assert data["unknown"][0]["alert_id"] == "o"
    assert data["settles_at"] == at(3700).isoformat()
    assert data["obstacles"] == [{"kind": "ambiguous", "words": "words", "remedy": "remedy"}]
    assert as_data(made(ahead=None))["changed_since_last_poll"] is None
