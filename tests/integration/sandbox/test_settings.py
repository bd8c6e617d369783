"""Settings, and the tables that name them."""

import json
import re
from typing import Any

import pytest

from reconciler.sandbox import control, faults
from tests.support.paths import ROOT
from tests.support.sandbox import TroubleBench


def test_settings_may_last_for_a_while() -> None:
    world = TroubleBench()
    world.control("PATCH", "/settings?for_seconds=5", {"blind": True, "log_lag": 3})
    world.set(list_lag=2)
    world.clock.advance(4)
    assert world.control("GET", "/settings")["blind"] is True
    world.clock.advance(1)
    settings = world.control("GET", "/settings")
    assert (settings["blind"], settings["log_lag"], settings["list_lag"]) == (False, 0, 2)


@pytest.mark.parametrize(
    "wrong",
    [{"name_form": "upside down"}, {"service_status": "on fire"}, {"bot_role": "king"}, {"team_tags": "ops"},
     {"refused_alerts": [1]}, {"blind": 1}, {"unacknowledge_ways": ["magic"]}],
)  # fmt: skip
def test_an_impossible_setting_is_refused(wrong: Any) -> None:
    assert TroubleBench().call("PATCH", "/control/settings", wrong).status == 400


def test_the_faults_and_settings_in_the_tutorial_exist() -> None:
    tutorial = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    lines = re.findall(r"""^\$ curl .* -X (\w+) (?:-d '(.*?)' )?"\$S/(\S+?)\"""", tutorial, re.MULTILINE)
    assert len(lines) == 7
    world = TroubleBench()
    for method, body, path in lines:
        world.control(method, f"/{path}", json.loads(body or "{}"))
    knobs = re.findall(
        r"`(\w+)`", tutorial[tutorial.index("| what can be rehearsed") : tutorial.index("Every act, setting")]
    )
    settings = world.control("GET", "/settings")
    assert len(knobs) > 20
    assert set(knobs) <= set(settings)
    assert (settings["user_gone"], settings["blind"], settings["service_status"]) == (True, True, "active")


@pytest.mark.parametrize("module", [faults, control])
def test_every_call_named_in_a_table_exists(module: Any) -> None:
    world = TroubleBench()
    named = re.findall(r"(\{\"\w+\": .*?\})(?:[ ,|]|$)", module.__doc__ or "", re.MULTILINE)
    assert len(named) > 10
    for text in named:
        values = json.loads(text)
        if "do" in values:
            world.fault(**values)
        elif "title" not in values:
            world.set(**values)
