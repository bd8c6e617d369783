"""Parsers for the texts of settings. An error says what is wrong and how to fix it."""

import json
import math
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, get_args
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

LONGEST_SECONDS = 10 * 365 * 86400.0


class Address(NamedTuple):
    """A host and port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        """The notation of HTTP_LISTEN."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect to it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether this name or IP address stands for this machine alone; another name counts as any address."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Wrong(ValueError):
    """A text that cannot be parsed; the message says what is wrong and how to fix it."""


def plain(text: str) -> str:
    """Any printable text."""
    if not text.isprintable():
        raise Wrong("contains a line break or another unprintable character; write it in one line")
    return text


def identifier(text: str) -> str:
    """An identifier."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise Wrong(
            "is not an id, which has only letters, digits and dashes; copy it from the end of its page's address"
        )
    return text


def email(text: str) -> str:
    """An e-mail address that is valid in a header."""
    if not (text.isascii() and text.isprintable() and re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", text)):
        raise Wrong("is not an e-mail address; give for example reconciler@example.com")
    return text


def token(text: str) -> SecretStr:
    """A secret that is sent in a header; never shown."""
    if any(character.isspace() for character in text):
        raise Wrong(
            "contains white space, which would break a header; copy it again, without blanks or line breaks"
        )
    if not (text.isascii() and text.isprintable()):
        raise Wrong("contains a character that is not ASCII, which would break a header; copy it again")
    return SecretStr(text)


def tokens(text: str) -> tuple[SecretStr, ...]:
    """Secrets, comma-separated."""
    parts = [part.strip(" ") for part in text.split(",")]
    if not all(parts):
        raise Wrong("has an empty entry, which anybody could sign with; remove the comma too many")
    return tuple(token(part) for part in parts)


def _url(text: str, example: str = "give for example https://api.example.com") -> str:
    """The base address of an API; a path prefix is allowed."""
    if "@" in text:
        raise Wrong(f"contains a user name or password, which belongs elsewhere; {example}")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # an invalid port raises only when it is read
    except ValueError:
        raise Wrong(f"{shown(text)} is not a URL; {example}") from None
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch(r"[!-~]+", text):
        raise Wrong(f"{shown(text)} is not an http or https URL with a host; {example}")
    if "?" in text or "#" in text:
        raise Wrong(f"{shown(text)} has a query or fragment; cut it off before the ? or #")
    return text.rstrip("/")


_PATH_WORDS = frozenset(
    {"v1", "v2", "alerts", "count", "requests", "incidents", "log_entries", "users", "services"}
)
"""Path segments that the program appends itself; an API address must not end in one."""


def api_url(product: str) -> Callable[[str], str]:
    """A parser for the base address of a product's API; not its web application, nor a path within the API."""
    others = (f"{other}.com" for other in ("opsgenie", "pagerduty", "atlassian") if other != product)
    domains = (f"{product}.com", *others, "atlassian.net")

    def parse(text: str) -> str:
        url = _url(text)
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        domain = next((one for one in domains if host == one or host.endswith(f".{one}")), "")
        own = f"https://api.{'eu.' if '.eu.' in f'.{host}' else ''}{product}.com"
        if domain and not (domain == domains[0] and host.startswith("api.")):
            raise Wrong(f"{shown(url)} is not the address of the API; give {own}")
        path = parts.path.split("/")
        while path and path[-1].lower() in _PATH_WORDS | {""}:
            path.pop()
        right = f"{parts.scheme}://{parts.netloc}{'/'.join(path)}"
        if domain and parts.path:
            raise Wrong(f"{shown(url)} has a path, which the program adds by itself; give {own}")
        if right != url:
            raise Wrong(
                f"{shown(url)} ends in a path of the API, which the program adds by itself; give {shown(right)}"
            )
        return url

    return parse


def is_plain_http(text: str) -> bool:
    """Whether this address is reached over http, and is not on this machine; False for a malformed one."""
    try:
        parts = urlsplit(text)
        return parts.scheme == "http" and bool(parts.hostname) and not is_loopback(parts.hostname or "")
    except ValueError:
        return False


def site_url(text: str) -> str:
    """The address of an Atlassian site, without a path."""
    url = _url(text, "give for example https://acme.atlassian.net")
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if host == "atlassian.com" or host.endswith((".atlassian.com", "opsgenie.com")):
        raise Wrong(f"{shown(url)} is not a site; give its address, such as https://acme.atlassian.net")
    if host.endswith(".atlassian.net") and parts.path:
        raise Wrong(f"{shown(url)} has a path; give {shown(f'{parts.scheme}://{parts.netloc}')}")
    return url


def web_address(text: str) -> SecretStr:
    """An address to be asked, which is a secret: whoever knows it may report that all is well."""
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not (text.isascii() and text.isprintable()) or " " in text:
        raise Wrong("is not an http or https URL; copy it whole, such as https://example.com/ping/1234")
    return SecretStr(text)


_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_VOLATILE = re.compile(
    r"(?<![\w.:])(status|acknowledged|acknowledgedBy|closedBy|owner|snoozed|snoozedUntil|isSeen)"
    r"\s*(?:!?\s*:|[<>=]|is\b)",
    re.IGNORECASE,
)


def volatile_terms(query: str) -> tuple[str, ...]:
    """Fields in the query that change during an alert's life, each once, as written."""
    found = _VOLATILE.findall(_QUOTED.sub('""', query))
    return tuple(dict.fromkeys(found))


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(least: float = 0.0, *, exclusive: bool = False) -> Callable[[str], float]:
    """A parser for a finite time, at least `least` seconds: a plain number, or one with a unit (15m, 1h, 2d)."""

    def parse(text: str) -> float:
        unit = _UNITS.get(text[-1:])
        digits = text[:-1] if unit else text
        try:
            number = float(digits) * (unit or 1) if digits.isascii() and "_" not in digits else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise Wrong(f"{shown(text)} is not a number of seconds; give for example 10, 0.5, 90s, 15m, 1h or 2d")
        if number < least or (exclusive and number == least):
            raise Wrong(f"{shown(text)} is too small; give {'more than' if exclusive else 'at least'} {least:g}")
        if number > LONGEST_SECONDS:
            raise Wrong(f"{shown(text)} is too large; give at most {LONGEST_SECONDS:.0f}, which is ten years")
        return number

    return parse


def choice(kind: object, *, upper: bool = False) -> Callable[[str], str]:
    """A parser for one word of a Literal."""
    words: tuple[str, ...] = get_args(kind)

    def parse(text: str) -> str:
        word = text.upper() if upper else text
        if word not in words:
            known = f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else f"{words[0]}, or leave it empty"
            raise Wrong(f"{shown(text)} is not known; give {known}")
        return word

    return parse


def file_path(text: str) -> Path:
    """The path of a file."""
    return Path(plain(text))


def priorities(text: str) -> tuple[str, ...]:
    """Priorities of Opsgenie, comma-separated; `none` is none of them."""
    if text.lower() == "none":
        return ()
    words = tuple(word.strip().upper() for word in text.split(","))
    if not all(re.fullmatch(r"P[1-5]", word) for word in words):
        raise Wrong(f"{shown(text)} is not a list of priorities; give for example P1,P2, or none")
    return words


def host_and_port(text: str) -> Address:
    """host:port, with an IPv6 host in brackets."""
    found = re.fullmatch(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", text)
    port = int(found["port"]) if found else 0
    if not found or port > 65535:  # noqa: PLR2004  the largest port there is
        raise Wrong(f"{shown(text)} is not host:port; give for example 127.0.0.1:8080, or 0.0.0.0:8080 for all")
    return Address(found["v6"] or found["host"], port)


_POSTGRESQL = "postgresql+psycopg://"


def database(text: str) -> SecretStr:
    """The database's URL, normalised for the store; never shown, as it may contain a password."""
    plain(text)
    scheme, separator, rest = text.partition("://")
    backend, _, driver = scheme.partition("+")
    if not separator:
        raise Wrong("is not a database URL; give for example sqlite:///reconciler.db")
    if backend == "sqlite" and driver in ("", "pysqlite"):
        return SecretStr(f"sqlite://{_sqlite(rest)}")
    if backend in ("postgres", "postgresql") and driver in ("", "psycopg"):
        # The same split as SQLAlchemy's: a password may hold anything but an @.
        if not re.fullmatch(
            r"(?:[^:/]*(?::[^@]*)?@)?(?:\[[^/?@]+\]|[^/:?@]*)(?::[0-9]*)?(?:/[^?]*)?(?:\?.*)?", rest
        ):
            raise Wrong(
                f"is not in the form {_POSTGRESQL}user:password@host:5432/name; write an @ in the password as %40"
            )
        if find_spec("psycopg") is None:
            raise Wrong(
                "is PostgreSQL's, which needs the extra: pip install 'reconciler[postgres]'; or give sqlite:///…"
            )
        return SecretStr(_POSTGRESQL + rest)
    if backend in ("sqlite", "postgres", "postgresql"):
        raise Wrong("names a driver that is not shipped; leave it out: sqlite:///… or postgresql://…")
    raise Wrong("names a database that is not supported; give sqlite:///… or postgresql://…")


def _sqlite(rest: str) -> str:
    """The rest of a URL after sqlite://, if it names a file."""
    path, _, query = rest.partition("?")
    if path in ("", "/") or ":memory:" in rest or "mode=memory" in query:
        raise Wrong(
            "is a database in memory: a snapshot that vanishes with the process would page everybody again; "
            "give a file, for example sqlite:///reconciler.db"
        )
    if not path.startswith("/"):
        raise Wrong("has too few slashes; write three before a relative path, four before an absolute one")
    if path.startswith("/file:") or "uri=" in query:
        raise Wrong("is an SQLite URI; give the plain path, for example sqlite:///reconciler.db")
    return rest


def shown(text: str) -> str:
    """A value as quoted in a problem: one line, shortened."""
    return json.dumps(text if len(text) <= 60 else f"{text[:60]}…", ensure_ascii=not text.isprintable())  # noqa: PLR2004


def as_key(text: str) -> str:
    """A key of a file as it is named in a problem: as it stands there, unless it is long or unprintable."""
    return text if text.isprintable() and len(text) <= 60 else shown(text)  # noqa: PLR2004 - as `shown`


def passwords(url: str) -> Iterator[str]:
    """The database's passwords, that of the user both quoted as in the URL and unquoted."""
    rest = url.partition("://")[2]
    found = re.match(r"[^:/]*:([^@]*)@", rest)
    if found and found[1]:
        yield from dict.fromkeys((found[1], unquote(found[1])))
    for name, values in parse_qs(rest.partition("?")[2]).items():
        if name.endswith("password"):
            yield from values
