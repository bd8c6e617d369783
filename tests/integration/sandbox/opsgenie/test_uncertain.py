"""Facts that Opsgenie does not document: each is a setting, and its values give different answers."""

from typing import Any

import pytest

from tests.support.jsm import JsmBench
from tests.support.sandbox import TroubleBench

API = "/opsgenie/v2/alerts"


class Bench(TroubleBench):
    """A sandbox with one alert, which Ana Ruiz has raised."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.path = f"{API}/{self.alert()}"

    def rows(self, part: str, query: str = "") -> Any:
        return self.call("GET", f"{self.path}/{part}{query}").json()["data"]

    def detail(self) -> Any:
        return self.call("GET", self.path).json()["data"]

    def act(self, verb: str, **values: Any) -> None:
        number = self.detail()["tinyId"]
        self.control("POST", f"/opsgenie/alerts/{number}/{verb}", {"user": "Ana Ruiz", **values})

    def send(self, verb: str, **values: Any) -> str:
        """Write through the API; returns the request id."""
        accepted = self.call("POST", f"{self.path}/{verb}", values)
        assert accepted.status == 202, accepted.body
        return str(accepted.json()["requestId"])

    def succeeds(self, verb: str, **values: Any) -> bool:
        return bool(self.call("GET", f"{API}/requests/{self.send(verb, **values)}").json()["data"]["isSuccess"])


@pytest.mark.parametrize("words", ["Alert unacknowledged", "Alert un acknowledged", "Acknowledgement removed"])
@pytest.mark.parametrize(("owner", "who"), [("user", "Ana Ruiz"), ("system", "System")])
def test_the_log_may_tell_of_acknowledgements_in_other_words(words: str, owner: str, who: str) -> None:
    world = Bench(log_unacknowledge_words=words, log_owner=owner)
    world.act("acknowledge")
    world.act("unacknowledge")
    lines = world.rows("logs", "?order=asc")[1:]
    assert [line["log"] for line in lines] == ["Alert acknowledged via web", f"{words} via web"]
    assert {line["owner"] for line in lines} == {who}


@pytest.mark.parametrize("bumps", [True, False])
def test_an_unacknowledgement_may_not_move_updated_at(bumps: bool) -> None:
    world = Bench(unacknowledge_bumps_updated_at=bumps)
    world.act("acknowledge")
    before = world.detail()["updatedAt"]
    world.clock.advance(5)
    world.act("unacknowledge")
    assert (world.detail()["acknowledged"], world.detail()["updatedAt"] != before) == (False, bumps)


@pytest.mark.parametrize("clears", [True, False])
def test_an_unacknowledgement_may_leave_the_report(clears: bool) -> None:
    world = Bench(unacknowledge_clears_report=clears)
    world.act("acknowledge")
    world.act("unacknowledge")
    assert ("acknowledgedBy" in world.detail().get("report", {})) is not clears


@pytest.mark.parametrize(("owner", "shown"), [("user", "Jane Doe"), ("api", "Alert API")])
def test_a_note_of_the_api_may_bear_no_name(owner: str, shown: str) -> None:
    world = Bench(note_owner=owner)
    world.send("notes", note="x", user="Jane Doe")
    assert world.rows("notes")[0]["owner"] == shown


@pytest.mark.parametrize("offsets", ["stable", "fresh"])
def test_a_notes_offset_may_differ_from_call_to_call_and_still_leads_to_the_next_page(offsets: str) -> None:
    world = Bench(note_offsets=offsets)
    for text in "abc":
        world.act("notes", text=text)
    tokens = [[row["offset"] for row in world.rows("notes", "?order=asc")] for _ in range(2)]
    assert (tokens[0] == tokens[1]) is (offsets == "stable")
    following = world.rows("notes", f"?order=asc&offset={tokens[0][0]}")
    assert [row["note"] for row in following] == ["b", "c"]


def test_a_note_may_be_too_long() -> None:
    world = Bench(note_limit=5)
    assert world.call("POST", f"{world.path}/notes", {"note": "123456"}).status == 422
    assert world.succeeds("notes", note="12345")


@pytest.mark.parametrize("fail", [True, False])
def test_a_note_on_a_closed_alert_may_fail(fail: bool) -> None:
    world = Bench(closed_notes_fail=fail)
    world.act("close")
    assert world.succeeds("notes", note="x") is not fail


@pytest.mark.parametrize("has_next", [True, False])
def test_the_last_page_may_have_a_next_one(has_next: bool) -> None:
    world = Bench(last_page_has_next=has_next)
    world.act("notes", text="a")
    first = world.call("GET", f"{world.path}/notes").json()
    assert ("next" in first["paging"]) is has_next
    after = world.call("GET", f"{world.path}/notes?offset={first['data'][0]['offset']}").json()
    assert (after["data"], "next" in after["paging"]) == ([], has_next)


@pytest.mark.parametrize(("overlap", "rest"), [(True, ["a", "b"]), (False, ["b"])])
def test_pages_may_overlap(overlap: bool, rest: list[str]) -> None:
    world = Bench(pages_overlap=overlap)
    world.act("notes", text="a")
    world.act("notes", text="b")
    (first,) = world.rows("notes", "?order=asc&limit=1")
    assert [row["note"] for row in world.rows("notes", f"?order=asc&offset={first['offset']}")] == rest


@pytest.mark.parametrize(
    ("setting", "acknowledged", "taken_back", "owner"),
    [("mixed", True, False, "Ana Ruiz"), ("fail", False, False, "Ana Ruiz"), ("succeed", True, True, "Ana Ruiz"),
     ("take_over", True, False, "Jane Doe")],
)  # fmt: skip
def test_acts_that_change_nothing_may_fail(setting: str, acknowledged: bool, taken_back: bool, owner: str) -> None:
    world = Bench(repeated_acts=setting)
    assert world.succeeds("unacknowledge", user="Jane Doe") is taken_back
    world.act("acknowledge")
    assert world.succeeds("acknowledge", user="Jane Doe") is acknowledged
    assert world.detail()["owner"] == owner


def test_the_outcome_of_a_write_may_be_forgotten_or_never_known() -> None:
    world = Bench(receipt_life=10)
    path = f"{API}/requests/{world.send('acknowledge')}"
    assert world.status(path) == 200
    world.set(receipts_stay_pending=True)
    assert world.call("GET", path).headers["X-Opsgenie-Errortype"] == "RequestNotProcessed"
    world.set(receipts_stay_pending=False)
    world.clock.advance(11)
    forgotten = world.call("GET", path)
    assert (forgotten.status, forgotten.headers.get("X-Opsgenie-Errortype")) == (404, None)


def test_a_new_alert_may_be_unknown_by_id() -> None:
    world = Bench(fresh_404=5)
    assert len(world.call("GET", API).json()["data"]) == 1
    assert world.status(world.path) == 404
    world.clock.advance(5)
    assert world.status(world.path) == 200


def test_every_second_read_by_id_may_be_answered_by_an_older_copy() -> None:
    world = Bench()
    world.clock.advance(10)
    world.act("acknowledge")
    world.act("notes", text="a")
    world.set(step_back=3)
    assert [world.detail()["acknowledged"] for _ in range(4)] == [True, False] * 2
    assert sorted(len(world.rows("notes")) for _ in range(2)) == [0, 1]
    world.clock.advance(3)
    assert [world.detail()["acknowledged"] for _ in range(2)] == [True, True]


def test_pages_of_jsm_and_its_notes_have_the_same_settings() -> None:
    world = JsmBench(last_page_has_next=True, pages_overlap=True, note_limit=5, receipt_life=10)
    alert = world.alert()
    for text in "ab":
        world.act("jsm", alert, "notes", text=text)
        world.clock.advance(1)
    first = world.get(f"/{alert}/notes")
    assert [note["note"] for note in first["values"]] == ["b", "a"]
    after = first["links"]["next"].partition("?")[2]
    assert [note["note"] for note in world.get(f"/{alert}/notes?{after}")["values"]] == ["a"]
    assert world.post(f"/{alert}/notes", {"note": "123456"}).status == 422
    path = f"/requests/{world.post(f'/{alert}/acknowledge').json()['requestId']}"
    assert world.status(path) == 200
    world.clock.advance(11)
    assert world.status(path) == 404
