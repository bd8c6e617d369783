"""What the steps of this module find, with each of the sandbox's facts both ways."""

from typing import Any

import pytest

from reconciler.probe import acts
from reconciler.probe.findings import Verdict
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.wire import Request, json_response
from tests.support.probe_rows import Row, is_told_apart, rows_of
from tests.support.probing import bench

ROWS = rows_of(*vars(acts).values())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fact_is_told_from_its_opposite(row: Row) -> None:
    is_told_apart(row)


@pytest.mark.parametrize("step", ["pagerduty-people", "pagerduty-log"])
def test_nobody_is_compared_with_a_user_that_is_not_known(step: str) -> None:
    def vendor(request: Request, sandbox: Sandbox) -> Any:
        is_search = request.path.startswith("/pagerduty/users")
        return json_response(404, {"error": {"message": "no"}}) if is_search else sandbox.handle(request)

    (found,) = bench(vendor=vendor).run(step).findings
    assert (found.verdict, "PAGERDUTY_USER" in found.follows) == (Verdict.NOT_SETTLED, True)
