"""Reads of an examination, in JSM's shapes."""

from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from reconciler.core.model import Person
from reconciler.errors import Misconfigured, Refused, Unknown
from reconciler.vendors.jsm.examination import NO_REQUEST, JsmExamination
from reconciler.vendors.ports import AtlassianUser, JsmExaminer
from reconciler.vendors.variables import JSM_KEYED, JSM_SITE
from tests.support.wire.http import query
from tests.support.wire.jsm import ALERTS, BOT, CLOUD, EMAIL, MYSELF, NAMED, SITE, USERS, http, page, row, stamp


@pytest.fixture(autouse=True)
def myself(wire: responses.RequestsMock) -> None:
    wire.get(f"{USERS}/myself", json=MYSELF | {"accountType": "app"})
    wire.assert_all_requests_are_fired = False


def examiner(asked: str = "", *, named: bool = False) -> JsmExaminer:
    keyed = http(JSM_KEYED) if named else None
    return JsmExamination(http(), http(JSM_SITE), keyed, email=EMAIL, cloud_id=CLOUD, query=asked, site_url=SITE)


def test_the_clock_is_that_of_the_cheapest_answer(wire: responses.RequestsMock) -> None:
    date = {"Date": "Mon, 23 Nov 2026 09:00:05 GMT"}
    wire.get(ALERTS, json=page([]), headers=date, match=[query(size="1")])
    assert examiner().server_time() == datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)


def test_the_alerts_of_the_query_are_counted(wire: responses.RequestsMock) -> None:
    still_open = "(tag: a) AND status:open"
    wire.get(ALERTS, json=page([row(1)], count=7), match=[query(size="1", query="tag: a")])
    wire.get(ALERTS, json=page([row(1)], count=3), match=[query(size="1", query=still_open)])
    found = examiner("tag: a")
    assert (found.count(is_open=False), found.count(is_open=True)) == (7, 3)


def test_without_a_query_all_alerts_are_counted(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json=page([], count=7), match=[query(size="1")])
    assert examiner().count(is_open=False) == 7


def test_an_answer_without_a_number_is_unknown(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, json={"values": []})
    with pytest.raises(Unknown, match="without a number"):
        examiner().count(is_open=False)


def test_the_site_is_asked_for_its_cloud_id_whatever_is_configured(wire: responses.RequestsMock) -> None:
    wire.get(f"{SITE}/_edge/tenant_info", json={"cloudId": "another"})
    assert examiner().site_cloud_id() == "another"


def test_the_token_s_user_is_told_with_its_kind() -> None:
    assert examiner().token_user() == AtlassianUser(Person(BOT, "Ops Robot"), "app")


FALLING = [row(1, age=9, updatedAt=stamp(0)), row(2, age=5, updatedAt=stamp(2))]


@pytest.mark.parametrize(
    ("listed", "is_sorted"),
    [
        (FALLING, True),
        ([row(1, age=5, updatedAt=stamp(2)), row(2, age=9, updatedAt=stamp(0))], False),
        ([row(1), row(2, age=5)], None),
        ([row(1, updatedAt=None)], None),
        ([], None),
    ],
)
def test_the_order_of_a_list_shows_by_what_it_is_sorted(
    wire: responses.RequestsMock,
    listed: list[Any],
    is_sorted: bool | None,
) -> None:
    wire.get(ALERTS, json=page(listed), match=[query(sort="updatedAt", order="desc", size="100", query="tag: a")])
    assert examiner("tag: a").sorts_by_update() is is_sorted


def test_an_order_that_is_refused_is_no_fault_and_a_refused_token_is_one(wire: responses.RequestsMock) -> None:
    wire.get(ALERTS, status=422, json={"errors": [{"title": "Payload cannot be validated", "code": "X"}]})
    assert examiner().sorts_by_update() is None
    wire.replace(responses.GET, ALERTS, status=401, json={"code": 401, "message": "Unauthorized"})
    with pytest.raises(Refused):
        examiner().sorts_by_update()


def test_an_integration_s_key_is_accepted_if_it_may_ask_for_a_request(wire: responses.RequestsMock) -> None:
    examiner().check_integration_key()
    asked = wire.get(f"{NAMED}/requests/{NO_REQUEST}", status=404, json={"message": "Request not found."})
    examiner(named=True).check_integration_key()
    assert asked.call_count == 1


def test_a_key_in_the_wrong_form_is_refused(wire: responses.RequestsMock) -> None:
    wire.get(f"{NAMED}/requests/{NO_REQUEST}", status=422, json={"message": "Key format is not valid!"})
    with pytest.raises(Misconfigured, match="JSM_INTEGRATION_KEY"):
        examiner(named=True).check_integration_key()
