"""Reads of an examination, in Opsgenie's shapes."""

from datetime import UTC, datetime

import pytest
import responses

from reconciler.errors import Misconfigured, Unknown
from reconciler.vendors.opsgenie.examination import OpsgenieExamination
from reconciler.vendors.ports import AlertExaminer
from tests.support.wire.http import OPSGENIE, http, query

ALERTS, COUNT = f"{OPSGENIE}/v2/alerts", f"{OPSGENIE}/v2/alerts/count"


def examiner(asked: str = "") -> AlertExaminer:
    return OpsgenieExamination(http("Opsgenie"), asked, OPSGENIE)


def test_the_clock_is_that_of_the_cheapest_answer(wire: responses.RequestsMock) -> None:
    date = {"Date": "Mon, 23 Nov 2026 09:00:05 GMT"}
    wire.get(ALERTS, json={"data": []}, headers=date, match=[query(limit="1")])
    assert examiner().server_time() == datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)


def test_the_alerts_of_the_query_are_counted(wire: responses.RequestsMock) -> None:
    wire.get(COUNT, json={"data": {"count": 7}}, match=[query(query="tag: a")])
    wire.get(COUNT, json={"data": {"count": 3}}, match=[query(query="(tag: a) AND status:open")])
    found = examiner("tag: a")
    assert (found.count(is_open=False), found.count(is_open=True)) == (7, 3)


def test_without_a_query_all_alerts_are_counted(wire: responses.RequestsMock) -> None:
    wire.get(COUNT, json={"data": {"count": 7}}, match=[query()])
    assert examiner().count(is_open=False) == 7


def test_a_query_that_opsgenie_refuses_is_named(wire: responses.RequestsMock) -> None:
    wire.get(COUNT, status=422, json={"message": "Query is not valid"})
    with pytest.raises(Misconfigured, match="OPSGENIE_QUERY"):
        examiner("((").count(is_open=False)


def test_an_answer_without_a_number_is_unknown(wire: responses.RequestsMock) -> None:
    wire.get(COUNT, json={"data": None})
    with pytest.raises(Unknown, match="without a number"):
        examiner().count(is_open=False)
