"""What is trusted, which proxies are refused, and how a wrong variable is named."""

import ssl
from pathlib import Path
from types import SimpleNamespace

import certifi
import pytest

from reconciler.errors import Misconfigured
from reconciler.vendors.surroundings import BUNDLES, check_proxy, trusted

URL = "https://api.pagerduty.com"
PEM = certifi.where()


def test_the_first_variable_that_is_set_wins() -> None:
    given = dict.fromkeys(BUNDLES, "/nope")
    for name in BUNDLES:
        assert trusted(URL, given | {name: PEM}) == PEM
        given[name] = ""


def system_of(monkeypatch: pytest.MonkeyPatch, cafile: str | None, capath: str | None) -> None:
    paths = SimpleNamespace(cafile=cafile, capath=capath)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)


def test_without_a_variable_the_systems_certificates_are_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system_of(monkeypatch, "/system.pem", str(tmp_path))
    assert trusted(URL, {}) == "/system.pem"
    system_of(monkeypatch, None, str(tmp_path))
    assert trusted(URL, {}) is True, "an empty folder"
    (tmp_path / "0a1b2c3d.0").touch()
    assert trusted(URL, {}) == str(tmp_path)
    system_of(monkeypatch, None, None)
    assert trusted(URL, {}) is True


def test_a_variable_that_names_no_certificates_is_a_misconfiguration(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no certificate")
    for path, words in (
        (tmp_path / "none", "there is no file"),
        (tmp_path / "text", "no certificate in PEM form"),
    ):
        with pytest.raises(Misconfigured, match=f"^SSL_CERT_FILE: .*{words}"):
            trusted(URL, {"SSL_CERT_FILE": str(path)})
        assert trusted("http://127.0.0.1:8900", {"SSL_CERT_FILE": str(path)}) == str(path), "not needed there"
    assert trusted(URL, {"SSL_CERT_DIR": str(tmp_path)}) == str(tmp_path)


def test_a_file_that_may_not_be_read_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.touch()

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ssl, "create_default_context", refuse)
    with pytest.raises(Misconfigured, match="cannot be used: Permission denied"):
        trusted(URL, {"SSL_CERT_FILE": str(file)})


@pytest.mark.parametrize("proxy", ["socks5h://user:secret-7@proxy:1080", "SOCKS4://proxy", "ftp://proxy"])
def test_a_proxy_that_does_not_speak_http_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(Misconfigured, match=r"^all_proxy: names .* api\.pagerduty\.com into NO_PROXY") as caught:
        check_proxy(URL, {"all": proxy}, {"all_proxy": proxy})
    assert "secret-7" not in str(caught.value)
    with pytest.raises(Misconfigured, match=r"^HTTPS_PROXY: "):
        check_proxy(URL, {"https": proxy}, {})
    check_proxy("http://127.0.0.1", {"https": proxy})


@pytest.mark.parametrize("proxy", ["http://proxy:3128", "https://proxy", "proxy:3128"])
def test_other_proxies_are_left_to_the_connection(proxy: str) -> None:
    check_proxy(URL, {"https": proxy})
