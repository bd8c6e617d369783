"""Three routes on the same keys, with the daemon's own sources and workers: what they cost, and whom they page."""

from collections import Counter
from pathlib import Path

import pytest

from reconciler.core.routing import Member
from tests.support.routes_on_one_key import routes_on_one_key

A, B, C = Member("a", "tag: a"), Member("b", "tag: b"), Member("c", "tag: c")
SOURCES = pytest.mark.parametrize("source", ["opsgenie", "jsm"])
IDLE = {"opsgenie": 1, "jsm": 3}
"""Requests for alerts of an idle cycle."""


@SOURCES
def test_an_idle_cycle_costs_as_much_as_that_of_one_route(tmp_path: Path, source: str) -> None:
    with routes_on_one_key(tmp_path, [A, B, C], source) as here:
        made = [here.raised(tag) for tag in ("a", "b", "c")]
        here.cycles(16)
        assert [list(here.pairs(each)) for each in made] == [["a"], ["b"], ["c"]]
        before = here.wire.calls[:]
        for _ in range(3):
            idle = Counter(call.vendor for call in here.cycle() if not call.path.endswith("/notes"))
            assert idle == {source: IDLE[source], "pagerduty": 1}
        assert len(here.wire.calls) > len(before)


@SOURCES
def test_each_alert_pages_once_whatever_matches_it(tmp_path: Path, source: str) -> None:
    with routes_on_one_key(tmp_path, [A, B, Member("rest")], source) as here:
        here.cycles(2)
        made = {
            here.raised("a", "b"): ["a"],
            here.raised("b"): ["b"],
            here.raised(): ["rest"],
            here.raised("b", "a"): ["a"],
        }
        here.cycles(40)
        assert {each: list(here.pairs(each)) for each in made} == made
        assert [here.incidents(each) for each in made] == [1] * len(made)


def test_what_a_person_does_reaches_the_route_that_has_the_alert(tmp_path: Path) -> None:
    with routes_on_one_key(tmp_path, [A, B, C]) as here:
        here.cycles(2)
        made = here.raised("b")
        here.cycles(3)
        incident = here.pairs(made)["b"].incident_id or ""
        here.sandbox.opsgenie.acknowledge(made, "Ana Ruiz")
        here.cycles(3)
        assert here.sandbox.pagerduty.find(made).now.status == "acknowledged"
        assert here.sandbox.pagerduty.find(made).now.id == incident


def test_no_route_reads_the_incidents_that_others_have_raised(tmp_path: Path) -> None:
    with routes_on_one_key(tmp_path, [A, B, C]) as here:
        here.cycles(2)
        made = [here.raised("b") for _ in range(20)]
        here.cycles(12)
        incidents = {here.pairs(each)["b"].incident_id for each in made}
        read = Counter(call.path for call in here.wire.calls if call.method == "GET")
        assert max(read[f"/incidents/{each}"] for each in incidents) <= 1
