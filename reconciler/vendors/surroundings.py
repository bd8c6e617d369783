"""What the environment says of the way to a vendor: which proxy, and whose certificates are trusted.

Of the first variable that is set, the certificates are trusted instead of all others: REQUESTS_CA_BUNDLE,
CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR. Without any, those of the system are; where it has none, those that
`requests` brings along.
"""

import os
import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import select_proxy

from reconciler.errors import Misconfigured

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name certificates, the first of them that is set wins."""


def trusted(url: str, environ: Mapping[str, str] = os.environ) -> str | bool:
    """The path of the trusted certificates for this address; True for those of `requests`.

    Misconfigured if a variable names something else than certificates.
    """
    name = next((one for one in BUNDLES if environ.get(one)), None)
    if name is None:
        return _systems() or True
    path = environ[name]
    if urlsplit(url).scheme == "https":
        _check(name, path)
    return path


@cache
def _check(name: str, path: str) -> None:
    if not Path(path).exists():
        raise Misconfigured(
            f"{name}: there is no file {path}: name one with the certificates that are to be trusted, or remove it"
        )
    if Path(path).is_dir():
        return
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError) as error:
        words = "it holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
        raise Misconfigured(f"{name}: {path} cannot be used: {words}: name a file of certificates") from None


def _systems() -> str | None:
    """The system's certificates, as OpenSSL finds them; None if there are none."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    has_any = bool(paths.capath) and any(Path(paths.capath).glob("*.[0-9]"))
    return paths.capath if has_any else None


def check_proxy(url: str, proxies: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Misconfigured if the way to this address leads through a proxy that does not speak HTTP."""
    proxy = select_proxy(url, dict(proxies))
    scheme, separator, _ = (proxy or "").partition("://")
    if proxy is None or not separator or scheme.lower() in {"http", "https"}:
        return
    name = next((one for one, value in environ.items() if value == proxy), "HTTPS_PROXY")
    kind = "a SOCKS proxy" if scheme.lower().startswith("socks") else "a proxy that does not speak HTTP"
    raise Misconfigured(
        f"{name}: names {kind}, which is not supported: name an HTTP proxy, such as http://proxy.example.com:80, "
        f"or put {urlsplit(url).hostname} into NO_PROXY"
    )
