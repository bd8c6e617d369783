"""`status` for people: the same page as aligned lines and as tables on a terminal."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.cli import status_text
from reconciler.cli.status_text import MOST_LISTED, RETRY, draw, is_plain, page, plain
from reconciler.core.model import Kind, Side, Status
from reconciler.core.pause import Pause
from reconciler.core.shadow import Comparison
from reconciler.operations.divergence import Apart
from reconciler.operations.pausing import Held
from reconciler.operations.status import Entry, StatusReport
from reconciler.store.leader_state import LeaderState
from reconciler.store.overview import Lead, Paging
from reconciler.store.schema import REVISION
from reconciler.store.standbys import Standby
from reconciler.store.troubles import KeptTrouble
from tests.support.builders import action, at, pair

NOTE = action(Kind.PAGERDUTY_NOTE, error="503", attempts=2)
KNOWN = LeaderState(at(3598), 4, at(480), left={Side.PAGERDUTY: 948}, refused=frozenset({Side.ALERTS}))


def report(**more: Any) -> StatusReport:
    polled = {Side.ALERTS: at(3597), Side.PAGERDUTY: at(0)}
    return StatusReport(at(3600), "sqlite:///r.db", open_pairs=1, polled=polled, **more)


FULL = report(
    lead=Lead("vm:16618:ab", 4),
    leader=KNOWN,
    standbys=(Standby("vm:16700:cd", at(3590)),),
    entries=(
        Entry(NOTE, pair(), at(3540)),
        Entry(replace(NOTE, status=Status.DEAD, attempts=0, error=""), None, at(0)),
    ),
    oldest=at(3500),
    troubles=(KeptTrouble("pagerduty", at(480), "away"),),
    paging=Paging(unpaged=(replace(pair(), unpaged="assigned to nobody"),)),
    pauses=(Held(Pause(Side.ALERTS, at(3000), "maintenance"), (Kind.ALERT_NOTE,)),),
    apart=(Apart(pair(), Side.ALERTS, at(3000), on_purpose=True, why="rule"),),
)


def test_everything_stands_in_aligned_lines() -> None:
    assert plain(page(FULL, 10.0)).splitlines() == [
        "Paused: Opsgenie by somebody since 09:50 UTC (10 min): maintenance; 1 note waits",
        "",
        f"Database     sqlite:///r.db (sqlite, schema {REVISION})",
        "Leader       vm:16618:ab, epoch 4, since 09:08 UTC (52 min)",
        "Standing by  vm:16700:cd",
        "Open pairs   1",
        "Actions      0 planned, 0 in flight, 0 unknown, 0 done, 0 dropped, 0 dead",
        "Oldest open  100 s",
        "",
        "Vendors",
        "             polled            requests left   may write  problem",
        "  Opsgenie   3 s ago           no limit known  no         none",
        "  PagerDuty  60 min ago, late  948 (2 s ago)   yes        away, since 09:08 UTC (52 min)",
        "",
        "Paused",
        "  Opsgenie by somebody since 09:50 UTC (10 min): maintenance; 1 note waits",
        "",
        "In trouble",
        "  subject    what",
        "  pagerduty  away, since 09:08 UTC (52 min)",
        "",
        "Nobody is paged for",
        "  alert            incident        why",
        '  #17 "Disk full"  incident #4711  assigned to nobody',
        "",
        "Planned: 1",
        "  alert            incident        action              for   tries  why",
        '  #17 "Disk full"  incident #4711  pagerduty.add_note  60 s  2      503 (alert a-1)',
        "",
        "Dead: 1",
        "  alert      incident  action              for     tries  why",
        "  alert a-1            pagerduty.add_note  60 min         because (alert a-1)",
        "",
        "Apart: one side is acknowledged, the other is not",
        "  alert            incident        for     how",
        '  #17 "Disk full"  incident #4711  10 min  acknowledged in Opsgenie, not in PagerDuty; on purpose: rule',
        "",
        RETRY,
    ]


def test_what_is_not_known_is_said() -> None:
    lines = plain(page(report(lead=Lead("vm:1:a", 1)), 10.0)).splitlines()
    assert "Leader      vm:1:a, epoch 1" in lines
    assert "  Opsgenie   3 s ago           no limit known  not known  none" in lines
    never = plain(page(StatusReport(at(0), "sqlite:///r.db"), 10.0))
    assert "Leader      nobody yet" in never
    assert "  Opsgenie   never" in never


def test_a_database_without_a_reconciler_is_a_headline_and_its_address() -> None:
    missing = StatusReport(at(0), "sqlite:///r.db", "there is no such database")
    assert plain(page(missing, 10.0)) == (
        "No reconciler has run on this database yet: there is no such database\n\nDatabase  sqlite:///r.db"
    )


def test_a_long_list_is_cut_and_its_rest_is_counted() -> None:
    many = tuple(Entry(replace(NOTE, id=n), None, at(0)) for n in range(MOST_LISTED + 5))
    text = plain(page(report(entries=many), 10.0))
    assert text.count("pagerduty.add_note") == MOST_LISTED
    assert "Planned: 25" in text
    assert "  … and 5 more" in text


def test_nobodys_text_can_forge_a_line_or_a_colour() -> None:
    evil = "\x1b[31mred\nDead: 9"
    entries = (Entry(replace(NOTE, error=evil), replace(pair(), title=evil), at(0)),)
    text = plain(page(report(entries=entries, troubles=(KeptTrouble("work", at(0), evil),)), 10.0))
    assert all(line.isprintable() for line in text.split("\n"))
    assert not [line for line in text.split("\n") if line.strip() == "Dead: 9"]


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "xterm"}, False, True),
        ({"TERM": "dumb"}, True, True),
        ({"TERM": ""}, True, True),
        ({}, True, True),
    ],
)
def test_only_a_terminal_that_can_draw_gets_tables(
    environ: dict[str, str], *, is_terminal: bool, expected: bool
) -> None:
    assert is_plain(environ, is_terminal=is_terminal) is expected


@pytest.mark.parametrize(("no_color", "is_good"), [("", True), ("", False), ("1", False)])
def test_tables_have_the_same_words_and_colours_unless_none_are_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_color: str, *, is_good: bool
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_COLOR", no_color)
    many = tuple(Entry(replace(NOTE, id=n, status=Status.DEAD), None, at(0)) for n in range(MOST_LISTED + 5))
    shown = replace(FULL, entries=many)
    draw(page(shown, 10.0), {"NO_COLOR": no_color}, is_good=is_good)
    out = capsys.readouterr().out
    assert ("\x1b[1;32mPaused" in out) is (is_good and not no_color)
    assert ("\x1b[1;31mPaused" in out) is (not is_good and not no_color)
    assert ("\x1b" in out) is not bool(no_color)
    for words in ("vm:16618:ab", "Dead: 25", "… and 5 more", "on purpose: rule", "948", RETRY):
        assert words in out


def test_text_in_brackets_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    draw(status_text.Page("[bold]x[/bold]", (("a", "[red]b"),), ()), {"NO_COLOR": "1"}, is_good=True)
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "[red]b" in out


def test_a_comparison_with_another_product_is_a_fact() -> None:
    seen = Comparison(at(3598), {"same": 40})
    assert ("JSM shadow", "40 same, looked at 2 s ago") in page(report(shadow=seen), 10.0).facts
    assert "JSM shadow" not in plain(page(report(), 10.0))
