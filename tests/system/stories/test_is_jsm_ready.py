"""Is Jira Service Management ready to be moved to? What `doctor` says of each thing that may be missing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.sandbox.server import environment, jsm_environment
from reconciler.sandbox.settings import SandboxSettings
from tests.support.harness import Json, World, a_world

JSM_ONLY = SandboxSettings(jsm_only=True)
WRONG_KEY = {"JSM_INTEGRATION_KEY": "another-key", "JSM_QUERY": "status: open", "OPSGENIE_QUERY": "tag: a"}


@pytest.fixture(scope="module")
def in_jsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A customer whose alerts are in JSM from the beginning."""
    with a_world(tmp_path_factory.mktemp("jsm"), jsm_only=True) as world:
        kept = {name: text for name, text in world.environment.items() if not name.startswith("OPSGENIE")}
        world.environment = kept | environment(world.running.url, JSM_ONLY, is_named=True)
        yield world


def doctor(world: World, **environ: str) -> tuple[int, dict[str, Json]]:
    """The exit status, and every finding by its check."""
    done = world.run("doctor", "--json", **environ)
    assert done.stderr == ""
    return done.returncode, {each["check"]: each for each in json.loads(done.stdout)["checks"]}


def bad(found: dict[str, Json]) -> set[str]:
    return {name for name, each in found.items() if each["verdict"] == "bad"}


def test_a_good_set_up_is_said_with_its_site_and_its_user_and_only_read(in_jsm: World) -> None:
    before = in_jsm.files()
    done = in_jsm.run("doctor")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for words in (
        "has the cloud id 7d2f6a3e-",
        "does not show the date",
        "Ops Robot (712020:",
        "none: every alert selects 0 alerts, 0 open",
        "acknowledgements and notes bear the engineer's name",
        "0 open alerts would page now",
    ):
        assert words in done.stdout
    assert "Opsgenie" not in done.stdout
    assert "OPSGENIE" not in done.stdout
    assert in_jsm.writes() == []
    assert in_jsm.files() == before


@pytest.mark.parametrize(
    ("trouble", "environ", "checks", "says"),
    [
        (
            {"jsm_scopes": []},
            {},
            {"jsm token"},
            "Jira accepts it as Ops Robot's, so a scope",
        ),
        ({"jsm_token": "another"}, {}, {"jsm token"}, "check JSM_EMAIL and JSM_API_TOKEN"),
        ({"jsm_alerts_404": True}, {}, {"jsm token"}, "Operations alerts are not on this site (yet)"),
        ({}, {"JSM_CLOUD_ID": "another-site"}, {"jsm site"}, "set JSM_CLOUD_ID=7d2f6a3e-"),
        ({}, WRONG_KEY, {"jsm integration"}, "JSM_INTEGRATION_KEY"),
        ({}, {"JSM_QUERY": "(("}, {"jsm query"}, "JSM_QUERY"),
    ],
)
def test_what_is_wrong_is_named_with_its_fix(
    in_jsm: World, trouble: dict[str, Any], environ: dict[str, str], checks: set[str], says: str
) -> None:
    in_jsm.settings(**trouble)
    status, found = doctor(in_jsm, **environ)
    in_jsm.settings(**{name: getattr(JSM_ONLY, name) for name in trouble})
    assert (status, bad(found)) == (1, checks)
    (check,) = checks
    assert says in found[check]["found"] + found[check]["fix"]


def test_before_the_move_both_products_are_examined_and_an_empty_jsm_is_noticed(world: World) -> None:
    world.raise_alert()
    as_shadow = jsm_environment(world.running.url, SandboxSettings()) | {
        "ALERT_SOURCE": "opsgenie",
        "ALERT_SHADOW": "jsm",
    }
    world.environment |= as_shadow
    status, found = doctor(world)
    assert (status, bad(found)) == (0, set()), found
    assert found["opsgenie pages"]["found"] == "1 open alert would page now"
    assert found["jsm reads"]["found"] == "no open alert is seen, while Opsgenie lists 1 alert"
    world.control("migrate")
    status, found = doctor(world)
    assert status == 0
    assert found["jsm reads"]["found"].startswith("allowed: alerts, and the notes of #")
