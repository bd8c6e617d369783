"""What of the deadlines needs no connection: see tests/integration/vendors for the rest."""

import pytest

from reconciler.vendors.deadline import Exchange, _addresses


def test_an_exchange_that_has_ended_does_not_expire_any_more() -> None:
    late, over = Exchange(), Exchange()
    over.end()
    for one in (late, over):
        one.expire()
    assert (late.expired, over.expired) == (True, False)


def test_each_address_of_a_name_is_tried_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(2, 1, 6, "", (host, 443)) for host in ("10.0.0.2", "10.0.0.1", "10.0.0.2")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: rows)
    assert _addresses("vendors.invalid", 443) == ["10.0.0.2", "10.0.0.1"]


def test_an_unknown_name_has_no_address_and_is_left_to_the_attempt_to_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    assert _addresses("vendors.invalid", 443) == []
