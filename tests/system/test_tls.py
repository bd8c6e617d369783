"""A private certificate authority and a proxy: named by the usual variables, and wrong ones are named, too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import World
from tests.support.tls import Authority, authority, hashed, tls_before


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def over_tls(world: World, ca: Authority) -> Iterator[World]:
    """A world whose vendors show a certificate of a private authority."""
    with tls_before(world.running.url, ca) as front:
        for name in ("OPSGENIE_API_URL", "PAGERDUTY_API_URL"):
            world.environment[name] = world.environment[name].replace(world.running.url, front)
        yield world


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"])
def test_a_private_authority_is_named_by_each_of_the_usual_variables(
    over_tls: World, ca: Authority, tmp_path: Path, name: str
) -> None:
    alert = over_tls.raise_alert()
    path = ca.ca
    if name == "SSL_CERT_DIR":
        path = hashed(ca.ca, tmp_path)
    over_tls.once(**{name: str(path)})
    assert over_tls.is_paged(alert)


def test_the_variable_of_requests_wins(over_tls: World, ca: Authority, tmp_path: Path) -> None:
    other = authority(tmp_path / "other")
    done = over_tls.run("once", REQUESTS_CA_BUNDLE=str(other.ca), SSL_CERT_FILE=str(ca.ca))
    assert done.returncode == 1
    over_tls.once(REQUESTS_CA_BUNDLE=str(ca.ca), SSL_CERT_FILE=str(other.ca))


def test_an_unknown_authority_is_said_with_what_can_be_set_and_nothing_is_sent(over_tls: World) -> None:
    done = over_tls.run("once")
    assert done.returncode == 1
    assert "the server's certificate is not trusted" in done.stderr
    assert "SSL_CERT_FILE or REQUESTS_CA_BUNDLE" in done.stderr
    assert "may have been carried out" not in done.stderr
    assert over_tls.calls() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"REQUESTS_CA_BUNDLE": "/nope"}, "REQUESTS_CA_BUNDLE: there is no file /nope"),
        ({"SSL_CERT_FILE": "/nope"}, "SSL_CERT_FILE: there is no file /nope"),
        ({"CURL_CA_BUNDLE": "/etc/hostname"}, "CURL_CA_BUNDLE: /etc/hostname cannot be used: it holds no"),
        ({"HTTPS_PROXY": "socks5h://u:pass-8127@proxy:1080"}, "HTTPS_PROXY: names a SOCKS proxy"),
        ({"all_proxy": "socks5://proxy:1080"}, "all_proxy: names a SOCKS proxy"),
        ({"https_proxy": "ftp://proxy:21"}, "https_proxy: names a proxy that does not speak HTTP"),
    ],
)
@pytest.mark.parametrize("command", ["once", "run"])
def test_what_cannot_be_used_is_a_configuration_error_that_names_the_variable(
    over_tls: World, command: str, given: dict[str, Any], words: str
) -> None:
    done = over_tls.run(command, **given)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"reconciler: {words}")
    assert "pass-8127" not in line
    assert over_tls.calls() == []


def test_no_proxy_and_plain_http_need_neither(world: World) -> None:
    world.once(all_proxy="socks5://proxy:1080", NO_PROXY="127.0.0.1", SSL_CERT_FILE="/nope")


def test_certificates_that_vanish_hold_writes_back_and_are_named(
    over_tls: World, ca: Authority, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(ca.ca.read_bytes())
    over_tls.begin(SSL_CERT_FILE=str(bundle))
    bundle.unlink()
    alert = over_tls.raise_alert()
    over_tls.until(lambda: over_tls.told("the file of trusted certificates is gone") > 0, "it is said")
    bundle.write_bytes(ca.ca.read_bytes())
    over_tls.until(lambda: over_tls.is_paged(alert), "the page")
    over_tls.until(lambda: over_tls.is_settled() and over_tls.audit() == {}, "all of it, once")
