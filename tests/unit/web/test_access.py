"""Who may read the status page."""

import hmac

import pytest
from werkzeug.datastructures import Authorization

from reconciler.web.access import is_let_in, names_loopback

PASSWORD = "open-sesame"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8081", "127.0.0.1", "127.0.0.1:8081", "127.9.9.9", "[::1]", "[::1]:8081"]
)
def test_a_name_of_loopback_is_one_at_any_port(host: str) -> None:
    assert names_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "::1",
     "localhost:", "localhost:x", "localhost@evil.example", "evil.example#localhost", "[::ffff:10.0.0.1]", "127.1",
     "localhost.", "2130706433", "0", "[]", "localhost\n"],
)  # fmt: skip
def test_any_other_name_is_not(host: str) -> None:
    assert not names_loopback(host)


@pytest.mark.parametrize(
    ("header", "is_in"),
    [
        ("Basic " + "YW55Om9wZW4tc2VzYW1l", True),  # any:open-sesame
        ("Basic " + "Om9wZW4tc2VzYW1l", True),  # no user name
        ("Basic " + "YW55OnNlc2FtZQ==", False),
        ("Basic " + "b3Blbi1zZXNhbWU=", False),  # without a colon
        ("Bearer open-sesame", False),
        ("Digest username=any, password=open-sesame", False),
        ("Basic !!!", False),
        ("Basic /////w==", False),  # not UTF-8
        ("", False),
        ("open-sesame", False),
    ],
)
def test_the_password_lets_in_under_any_user_name(header: str, is_in: bool) -> None:
    assert is_let_in(Authorization.from_header(header), PASSWORD) is is_in


def test_the_password_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    right = Authorization("basic", {"username": "any", "password": PASSWORD})
    assert not is_let_in(right, PASSWORD), "nothing else than this comparison decides"
    assert compared == [(PASSWORD.encode(), PASSWORD.encode())]
