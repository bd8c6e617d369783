"""Which of the two APIs a write goes through, and where its request is asked about."""

import pytest

from reconciler.vendors.jsm import roads as module
from reconciler.vendors.jsm.roads import Road, Roads, Write, parted, told

ACK, NOTE = Write("a1", "acknowledge"), Write("a1", "notes", "text")


def test_a_write_goes_in_a_name_unless_its_last_try_failed_and_then_once() -> None:
    roads = Roads()
    assert roads.next_of(ACK) is Road.KEY
    roads.accepted("k:1", ACK)
    assert roads.next_of(ACK) is Road.KEY, "it has not failed"
    roads.failed("k:1")
    roads.failed("k:1")
    assert roads.next_of(NOTE) is Road.KEY
    assert [roads.next_of(ACK) for _ in range(2)] == [Road.ACCOUNT, Road.KEY]
    roads.failed("k:1")
    assert roads.next_of(ACK) is Road.KEY, "that was another request's"


def test_a_request_without_an_id_is_not_remembered() -> None:
    roads = Roads()
    roads.accepted("", ACK)
    roads.failed("")
    assert roads.next_of(ACK) is Road.KEY


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_WRITES", 2)
    roads = Roads()
    for number in range(6):
        roads.accepted(f"k:{number}", Write(f"a{number}", "acknowledge"))
        roads.failed(f"k:{number}")
        roads.accepted(f"k:again{number}", ACK)
    assert (len(roads._accepted), len(roads._failed)) == (2, 2)


@pytest.mark.parametrize(
    ("request_id", "parts"),
    [
        ("k:43a2", (Road.KEY, "43a2")), ("a:43:a2", (Road.ACCOUNT, "43:a2")), ("43a2", (None, "43a2")),
        ("x:43a2", (None, "x:43a2")), ("k:", (None, "k:")), ("", (None, "")),
    ],
)  # fmt: skip
def test_a_request_id_says_its_road(request_id: str, parts: tuple[Road | None, str]) -> None:
    assert parted(request_id) == parts


def test_an_empty_id_stays_empty() -> None:
    assert (told(Road.KEY, ""), told(Road.ACCOUNT, "43a2")) == ("", "a:43a2")
