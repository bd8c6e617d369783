"""HEARTBEAT_URL: the status of its answer decides, and no error shows the address."""

import pytest
import requests
import responses

from reconciler import __version__
from reconciler.errors import Misconfigured, NotExecuted, ReconcilerError, Transient
from reconciler.vendors.heartbeat_url import HeartbeatUrl

SECRET = "5ecret-check"
URL = f"https://beats.example/{SECRET}?token={SECRET}"


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_address_that_answers_well_has_been_asked(wire: responses.RequestsMock, status: int) -> None:
    wire.get(URL, body="OK", status=status)
    HeartbeatUrl(URL).ping()
    assert wire.calls[0].request.headers["User-Agent"] == f"reconciler/{__version__}"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"status": 404}, Transient, "it answers 404"),
        ({"status": 503}, Transient, "it answers 503"),
        ({"status": 302, "headers": {"Location": "https://x.example"}}, Misconfigured, "a redirection"),
        ({"body": requests.exceptions.ReadTimeout(URL)}, Transient, "no answer within 5 s"),
        ({"body": requests.exceptions.ConnectTimeout(URL)}, NotExecuted, "no connection in time"),
        ({"body": requests.exceptions.InvalidURL(URL)}, Misconfigured, "copy the address whole"),
        ({"body": requests.exceptions.ConnectionError(URL)}, Transient, "the connection broke"),
        ({"body": UnicodeError(URL)}, Misconfigured, "copy the address whole"),
    ],
)
def test_any_other_answer_is_an_error_that_names_the_setting_and_hides_the_address(
    wire: responses.RequestsMock, answer: dict[str, object], kind: type[ReconcilerError], words: str
) -> None:
    wire.get(URL, **answer)
    with pytest.raises(kind, match=words) as found:
        HeartbeatUrl(URL).ping()
    assert str(found.value).startswith("HEARTBEAT_URL: ")
    assert SECRET not in str(found.value)
    assert found.value.__context__ is None
    assert found.value.__cause__ is None


def test_no_cookie_is_kept_or_sent_back(wire: responses.RequestsMock) -> None:
    wire.get(URL, headers={"Set-Cookie": "a=b; Domain=beats.example; Path=/"})
    beats = HeartbeatUrl(URL)
    for _ in range(3):
        beats.ping()
    assert len(beats._requests.cookies) == 0
    assert all("Cookie" not in call.request.headers for call in wire.calls)
