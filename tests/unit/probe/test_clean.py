from typing import Any

import pytest

from reconciler.probe.clean import PAUSES, clean, leftovers
from reconciler.probe.objects import PREFIX, TAG
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.wire import Request, json_response
from tests.support.probing import Bench, bench


def filled(**knobs: Any) -> Bench:
    """A bench with one alert and one incident of the probe."""
    made = bench(**knobs)
    made.probe.trial.incidents.created()
    made.probe.trial.new_alert()
    return made


def test_everything_is_resolved_and_closed_also_after_a_stop() -> None:
    made = filled()
    made.stop.set()
    assert clean(made.probe.trial, made.probe.objects) == ()
    assert made.open() == []


@pytest.mark.parametrize("knobs", [{"write_lag": 5.0}, {"detail_lag": 5.0}, {"list_lag": 5.0}, {"step_back": 5.0}])
def test_it_is_tried_again_until_reads_show_that_it_is_over(knobs: dict[str, float]) -> None:
    made = filled(**knobs)
    assert clean(made.probe.trial, made.probe.objects) == ()
    assert made.open() == []


def test_what_cannot_be_removed_is_named_after_a_bounded_time() -> None:
    def vendor(request: Request, sandbox: Sandbox) -> Any:
        is_end = b'"resolved"' in request.body or request.path.endswith("/close")
        return json_response(400, {"error": {"message": "no"}}) if is_end else sandbox.handle(request)

    made = bench(vendor=vendor)
    incident = made.probe.trial.incidents.created()
    alert = made.probe.trial.new_alert()
    began = made.clock.monotonic()
    left = clean(made.probe.trial, made.probe.objects)
    assert {one.id for one in left} == {incident["id"], alert.id}
    assert made.clock.monotonic() - began == pytest.approx(sum(PAUSES), abs=1)


def test_an_error_of_one_vendor_does_not_keep_the_others_objects() -> None:
    made = filled()
    made.wire.gone.add("opsgenie")
    (left,) = clean(made.probe.trial, made.probe.objects, pauses=())
    assert left.kind == "alert"
    assert [title for title in made.open() if "incident" in title] == []


def test_leftovers_of_earlier_runs_are_removed_and_nothing_else() -> None:
    made = bench()
    made.sandbox.opsgenie.create_alert(f"{PREFIX} 1 alert 1: may be removed", user="Ana Ruiz", tags=[TAG])
    made.sandbox.pagerduty.create_incident(f"{PREFIX} 1 incident 2: may be removed")
    made.sandbox.pagerduty.create_incident("database is down")
    assert leftovers(made.probe.trial, made.probe.objects) == 2
    assert made.open() == ["database is down"]
