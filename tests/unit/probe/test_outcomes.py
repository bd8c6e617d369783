"""What the steps of this module find, with each of the sandbox's facts both ways."""

from typing import Any

import pytest

from reconciler.probe import outcomes
from reconciler.probe.findings import Verdict
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.wire import Request, json_response
from tests.support.probe_rows import LOG, Row, is_told_apart, rows_of
from tests.support.probing import bench, finding

ROWS = rows_of(*vars(outcomes).values())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fact_is_told_from_its_opposite(row: Row) -> None:
    is_told_apart(row)


def test_a_close_that_the_log_says_a_machine_made_names_nobody() -> None:
    def vendor(request: Request, sandbox: Sandbox) -> Any:
        reply: Any = sandbox.handle(request)
        if not request.path.endswith("/logs"):
            return reply
        rows = [
            row | {"owner": "System"} if row["log"].startswith("Alert closed") else row
            for row in reply.json()["data"]
        ]
        return json_response(200, reply.json() | {"data": rows}, reply.headers)

    found = finding(bench(vendor=vendor).run("alert-requests"), LOG)
    assert (found.verdict, found.follows.startswith("close: ")) == (Verdict.DIFFERS, True)
