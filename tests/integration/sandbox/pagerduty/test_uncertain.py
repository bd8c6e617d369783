"""Facts that PagerDuty does not document: each is a setting, and its values give different answers."""

from typing import Any

import pytest

from tests.support.sandbox import TroubleBench, error

LOG = "/pagerduty/log_entries"


def log_of(world: TroubleBench, incident: str) -> Any:
    """An incident's log entries, as they are answered."""
    path = f"/pagerduty/incidents/{incident}/log_entries?include[]=channels"
    return world.call("GET", path).json()["log_entries"]


def jane(world: TroubleBench, incident: str, verb: str, **values: Any) -> None:
    """Jane Doe does something on the website."""
    world.control("POST", f"/pagerduty/incidents/{incident}/{verb}", {"user": "Jane Doe", **values})


@pytest.mark.parametrize(
    ("told", "agent"), [("user", "user_reference"), ("service", "service_reference"), ("no_agent", None)]
)
def test_the_log_may_not_name_who_unacknowledged(told: str, agent: str | None) -> None:
    world = TroubleBench(manual_unacknowledge_log=told)
    incident = world.created()
    jane(world, incident, "acknowledge")
    jane(world, incident, "unacknowledge")
    line = log_of(world, incident)[0]
    assert (line["type"], line.get("agent", {}).get("type")) == ("unacknowledge_log_entry", agent)


def test_the_log_may_not_tell_of_an_unacknowledgement() -> None:
    world = TroubleBench(manual_unacknowledge_log="none")
    incident = world.created()
    jane(world, incident, "acknowledge")
    jane(world, incident, "unacknowledge")
    assert log_of(world, incident)[0]["type"] == "acknowledge_log_entry"
    assert world.incident(incident)["status"] == "triggered"


@pytest.mark.parametrize(
    ("told", "agent"), [("user", "user_reference"), ("service", "service_reference"), ("no_agent", None)]
)
def test_the_log_may_name_another_agent_for_the_api(told: str, agent: str | None) -> None:
    world = TroubleBench(api_log_agent=told)
    incident = world.created()
    world.put(incident, status="acknowledged")
    assert log_of(world, incident)[0].get("agent", {}).get("type") == agent


@pytest.mark.parametrize("way", ["status", "level 1", "level 2", "policy", "assignment"])
@pytest.mark.parametrize("refused", [True, False])
def test_some_ways_to_unacknowledge_work_and_others_are_refused_or_do_nothing(way: str, refused: bool) -> None:
    changes: dict[str, Any] = {
        "status": {"status": "triggered"}, "level 1": {"escalation_level": 1}, "level 2": {"escalation_level": 2},
        "policy": {"escalation_policy": {"id": "PPOL001", "type": "escalation_policy_reference"}},
        "assignment": {"assignments": [{"assignee": {"id": "PJANE01", "type": "user_reference"}}]},
    }  # fmt: skip
    world = TroubleBench(unacknowledge_ways=[way], other_ways_refused=refused)
    incident = world.created()
    world.put(incident, status="acknowledged")
    for name, change in changes.items():
        if name != way and refused:
            body = {"incident": {"type": "incident", **change}}
            assert error(world.call("PUT", f"/pagerduty/incidents/{incident}", body)) == (400, 2015)
        elif name != way:
            assert world.put(incident, **change)["status"] == "acknowledged"
    assert world.put(incident, **changes[way])["status"] == "triggered"


@pytest.mark.parametrize(("ways", "status"), [(["urgency"], "triggered"), ([], "acknowledged")])
def test_raising_the_urgency_may_not_unacknowledge(ways: list[str], status: str) -> None:
    world = TroubleBench(unacknowledge_ways=ways)
    incident = world.created(urgency="low")
    world.put(incident, status="acknowledged")
    shown = world.put(incident, urgency="high")
    assert (shown["urgency"], shown["status"]) == ("high", status)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_log_and_notes_may_be_in_either_order(order: str) -> None:
    world = TroubleBench(log_order=order)
    incident = world.created()
    for text in ("a", "b"):
        world.clock.advance(1)
        jane(world, incident, "notes", text=text)
    notes = world.call("GET", f"/pagerduty/incidents/{incident}/notes").json()["notes"]
    lines = world.call("GET", f"{LOG}?include[]=channels").json()["log_entries"]
    texts = [note["content"] for note in notes], [line["channel"]["summary"] for line in lines]
    expected = ["a", "b"], ["disk full", "a", "b"]
    assert texts == (expected if order == "asc" else tuple(list(reversed(each)) for each in expected))


@pytest.mark.parametrize(("exclusive", "number"), [(True, 0), (False, 1)])
def test_since_may_be_exclusive(exclusive: bool, number: int) -> None:
    world = TroubleBench(since_exclusive=exclusive)
    world.created()
    stamp = world.call("GET", LOG).json()["log_entries"][0]["created_at"]
    assert len(world.call("GET", f"{LOG}?since={stamp}").json()["log_entries"]) == number


def test_a_log_entry_may_cut_a_note() -> None:
    world = TroubleBench(note_log_cut=3)
    incident = world.created()
    jane(world, incident, "notes", text="on it")
    assert log_of(world, incident)[0]["channel"]["summary"] == "on "


@pytest.mark.parametrize(("born", "status"), [(True, "acknowledged"), (False, "triggered")])
def test_what_the_user_on_call_creates_may_begin_acknowledged(born: bool, status: str) -> None:
    world = TroubleBench(bot_on_call=True, born_acknowledged=born)
    assert world.incident(world.created())["status"] == status
    assert world.pages() == []


@pytest.mark.parametrize(("wins", "who"), [(True, "Reconciler Bot"), (False, "Omar Haddad")])
def test_from_may_win_over_a_users_key(wins: bool, who: str) -> None:
    world = TroubleBench(user_token="POMAR01", from_wins=wins)
    shown = world.put(world.created(), status="acknowledged")
    assert shown["acknowledgements"][0]["acknowledger"]["summary"] == who


@pytest.mark.parametrize(("searched", "names", "mails"), [("both", 1, 1), ("name", 1, 0), ("email", 0, 1)])
def test_users_may_be_searched_by_name_or_by_email_alone(searched: str, names: int, mails: int) -> None:
    world = TroubleBench(user_query=searched)
    found = [
        len(world.call("GET", f"/pagerduty/users?query={text}").json()["users"])
        for text in ("Omar H", "omar.haddad@")
    ]
    assert found == [names, mails]


@pytest.mark.parametrize(
    ("setting", "values"),
    [({"urgency_refused": True}, {"urgency": "high"}), ({"title_limit": 5}, {"title": "123456"}),
     ({"body_limit": 5}, {"body": {"type": "incident_body", "details": "123456"}})],
)  # fmt: skip
def test_a_creation_may_be_refused_for_a_part_of_it(setting: dict[str, Any], values: dict[str, Any]) -> None:
    world = TroubleBench(**setting)
    assert error(world.create(**{"title": "disk"} | values)) == (400, 2001)
    assert world.create(title="disk").status == 201
    world.set(urgency_refused=False, title_limit=1024, body_limit=0)
    assert world.create(**values).status == 201


def test_a_note_may_be_too_long() -> None:
    world = TroubleBench(pagerduty_note_limit=5)
    incident = world.created()
    path = f"/pagerduty/incidents/{incident}/notes"
    assert error(world.call("POST", path, {"note": {"content": "123456"}})) == (400, 2001)
    assert world.call("POST", path, {"note": {"content": "12345"}}).status == 200


def test_the_key_of_an_open_incident_may_be_refused_or_not() -> None:
    world = TroubleBench(list_lag=5)
    first = world.created(incident_key="k")
    assert error(world.create(incident_key="k")) == (400, 2002)
    world.set(key_reuse="merged")
    assert world.created(incident_key="k") == first
    world.set(key_reuse="unlisted")
    second = world.created(incident_key="k")
    assert second != first
    world.clock.advance(5)
    assert error(world.create(incident_key="k")) == (400, 2002)
    world.set(key_reuse="allowed")
    assert world.created(incident_key="k") not in (first, second)


@pytest.mark.parametrize(("hides", "key"), [(True, None), (False, "k")])
def test_a_merge_may_hide_the_targets_key(hides: bool, key: str | None) -> None:
    world = TroubleBench(merge_hides_key=hides)
    target, other = world.created(incident_key="k"), world.created()
    jane(world, other, "merge", into=target)
    assert world.incident(target)["incident_key"] == key
    assert world.control("GET", "/state")["pagerduty"]["incidents"][0]["incident_key"] == "k"


@pytest.mark.parametrize(("missing", "status"), [(True, 404), (False, 200)])
def test_an_incidents_alerts_may_be_missing(missing: bool, status: int) -> None:
    world = TroubleBench(own_alerts_404=missing)
    assert world.status(f"/pagerduty/incidents/{world.created()}/alerts") == status


def test_acknowledging_what_is_acknowledged_or_resolved_may_be_refused() -> None:
    world = TroubleBench(reacknowledge_refused=True, acknowledge_reopens=False)
    incident = world.created()
    body = {"incident": {"type": "incident", "status": "acknowledged"}}
    codes = []
    for status in ("acknowledged", "resolved"):
        world.put(incident, status=status)
        codes.append(error(world.call("PUT", f"/pagerduty/incidents/{incident}", body)))
    assert codes == [(400, 1002), (400, 1001)]
    world.set(reacknowledge_refused=False, acknowledge_reopens=True)
    assert [world.put(incident, status="acknowledged")["status"] for _ in range(2)] == ["acknowledged"] * 2


@pytest.mark.parametrize("bumps", [True, False])
def test_a_note_may_move_an_incidents_stamp(bumps: bool) -> None:
    world = TroubleBench(notes_bump_incident=bumps)
    incident = world.created()
    before = world.incident(incident)["updated_at"]
    world.clock.advance(5)
    jane(world, incident, "notes", text="x")
    assert (world.incident(incident)["updated_at"] != before) is bumps


def test_a_new_incident_may_be_unknown_by_id() -> None:
    world = TroubleBench(fresh_404=5)
    path = f"/pagerduty/incidents/{world.created()}"
    assert (world.status(path), world.status(f"{path}/notes")) == (404, 404)
    assert len(world.call("GET", "/pagerduty/incidents").json()["incidents"]) == 1
    world.clock.advance(5)
    assert world.status(path) == 200


def test_every_second_read_by_id_may_be_answered_by_an_older_copy() -> None:
    world = TroubleBench(step_back=3)
    incident = world.created()
    world.clock.advance(10)
    jane(world, incident, "acknowledge")
    states = [world.incident(incident)["status"] for _ in range(4)]
    assert states == ["acknowledged", "triggered"] * 2
    assert [len(log_of(world, incident)) for _ in range(2)] == [2, 1]
    world.clock.advance(3)
    assert [world.incident(incident)["status"] for _ in range(2)] == ["acknowledged"] * 2
