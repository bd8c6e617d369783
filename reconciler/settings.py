"""The only reader of the environment.

The model below is the table of all variables: a field is its variable in lower case, its annotation says how the
text is read, its default is the contract's. Every problem is found in one go, and none of them shows a secret.
"""

import difflib
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args
from urllib.parse import parse_qs, unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import BaseModel, ConfigDict, SecretStr

from reconciler.errors import Misconfigured

LONGEST_SECONDS = 10 * 365 * 86400.0
LARGEST_FILE = 65536  # characters of a file that holds one secret
SHORTEST_HIDDEN = 4  # characters: anything shorter would black out innocent text

UnacknowledgePolicy = Literal["retrigger", "note"]
ClosePolicy = Literal["note", "resolve", "ignore"]
TimeoutPolicy = Literal["mirror", "ignore"]
PriorityPolicy = Literal["urgency", "note", "ignore"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class SettingsError(Misconfigured):
    """What is wrong with the configuration: one line per problem, each naming its variable and the mend."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in HTTP_LISTEN."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Wrong(ValueError):
    """A text that cannot be read as what it should be. Says what is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class Read:
    """How a variable's text becomes its value. A secret may come from a file and is never shown.

    `needs` tells what to give where there is no default.
    """

    parse: Callable[[str], object]
    secret: bool = False
    needs: str = ""


def _plain(text: str) -> str:
    """Any printable text."""
    if not text.isprintable():
        raise Wrong("contains a line break or another unprintable character; write it in one line")
    return text


def _id(text: str) -> str:
    """An identifier."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise Wrong(
            "is not an id, which has only letters, digits and dashes; copy it from the end of its page's address"
        )
    return text


def _email(text: str) -> str:
    """What looks like an e-mail address, and fits into a header."""
    if not (text.isascii() and text.isprintable() and re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", text)):
        raise Wrong("is not an e-mail address; give for example reconciler@example.com")
    return text


def _token(text: str) -> SecretStr:
    """A secret that goes into a header. Never shown."""
    if any(character.isspace() for character in text):
        raise Wrong(
            "contains white space, which would break a header; copy it again, without blanks or line breaks"
        )
    if not (text.isascii() and text.isprintable()):
        raise Wrong("contains a character that is not ASCII, which would break a header; copy it again")
    return SecretStr(text)


def _tokens(text: str) -> tuple[SecretStr, ...]:
    """Several secrets."""
    parts = [part.strip(" ") for part in text.split(",")]
    if not all(parts):
        raise Wrong("has an empty entry, which anybody could sign with; remove the comma too many")
    return tuple(_token(part) for part in parts)


def _url(text: str) -> str:
    """The base address of an API; a path prefix is allowed."""
    example = "give for example https://api.example.com"
    if "@" in text:
        raise Wrong(f"contains a user name or password, which belongs elsewhere; {example}")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # a port that is no number shows only when asked for
    except ValueError:
        raise Wrong(f"{_shown(text)} is not a URL; {example}") from None
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch(r"[!-~]+", text):
        raise Wrong(f"{_shown(text)} is not an http or https URL with a host; {example}")
    if "?" in text or "#" in text:
        raise Wrong(f"{_shown(text)} has a query or fragment; cut it off before the ? or #")
    return text.rstrip("/")


_PATH_WORDS = frozenset(
    {"v1", "v2", "alerts", "count", "requests", "incidents", "log_entries", "users", "services"}
)
"""What an address of the API must not end in: the program adds it."""


def _api_url(product: str) -> Callable[[str], str]:
    """The address of that product's API: neither of its web application nor of something within the API."""
    domains = (f"{product}.com", "pagerduty.com" if product == "opsgenie" else "opsgenie.com", "atlassian.net")

    def parse(text: str) -> str:
        url = _url(text)
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        domain = next((one for one in domains if host == one or host.endswith(f".{one}")), "")
        own = f"https://api.{'eu.' if '.eu.' in f'.{host}' else ''}{product}.com"
        if domain and not (domain == domains[0] and host.startswith("api.")):
            raise Wrong(f"{_shown(url)} is not the address of the API; give {own}")
        path = parts.path.split("/")
        while path and path[-1].lower() in _PATH_WORDS | {""}:
            path.pop()
        right = f"{parts.scheme}://{parts.netloc}{'/'.join(path)}"
        if domain and parts.path:
            raise Wrong(f"{_shown(url)} has a path, which the program adds by itself; give {own}")
        if right != url:
            raise Wrong(f"{_shown(url)} ends in a path of the API, which the program adds by itself; give {right}")
        return url

    return parse


_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_VOLATILE = re.compile(
    r"(?<![\w.:])(status|acknowledged|acknowledgedBy|closedBy|owner|snoozed|snoozedUntil|isSeen)"
    r"\s*(?:!?\s*:|[<>=]|is\b)",
    re.IGNORECASE,
)


def volatile_terms(query: str) -> tuple[str, ...]:
    """Fields that the query asks for and that change while an alert lives, each once, as they are written."""
    found = _VOLATILE.findall(_QUOTED.sub('""', query))
    return tuple(dict.fromkeys(found))


def _seconds(least: float = 0.0, *, exclusive: bool = False) -> Callable[[str], float]:
    """A finite number of seconds from `least` on."""

    def parse(text: str) -> float:
        try:
            number = float(text) if text.isascii() and "_" not in text else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise Wrong(f"{_shown(text)} is not a number of seconds; give for example 10 or 0.5")
        if number < least or (exclusive and number == least):
            raise Wrong(f"{_shown(text)} is too small; give {'more than' if exclusive else 'at least'} {least:g}")
        if number > LONGEST_SECONDS:
            raise Wrong(f"{_shown(text)} is too large; give at most {LONGEST_SECONDS:.0f}, which is ten years")
        return number

    return parse


def _choice(kind: object, *, upper: bool = False) -> Callable[[str], str]:
    """One of a Literal's words."""
    words: tuple[str, ...] = get_args(kind)

    def parse(text: str) -> str:
        word = text.upper() if upper else text
        if word not in words:
            raise Wrong(f"{_shown(text)} is not known; give {', '.join(words[:-1])} or {words[-1]}")
        return word

    return parse


def _priorities(text: str) -> tuple[str, ...]:
    """Priorities of Opsgenie, comma-separated."""
    words = tuple(word.strip().upper() for word in text.split(","))
    if not all(re.fullmatch(r"P[1-5]", word) for word in words):
        raise Wrong(f"{_shown(text)} is not a list of priorities; give for example P1,P2")
    return words


def _address(text: str) -> Address:
    """host:port, where an IPv6 host stands in brackets."""
    found = re.fullmatch(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", text)
    port = int(found["port"]) if found else 0
    if not found or port > 65535:  # noqa: PLR2004  the largest port there is
        raise Wrong(f"{_shown(text)} is not host:port; give for example 127.0.0.1:8080, or 0.0.0.0:8080 for all")
    return Address(found["v6"] or found["host"], port)


_POSTGRESQL = "postgresql+psycopg://"


def _database(text: str) -> SecretStr:
    """The database's URL, in the one spelling that the store uses. Never shown: it may hold a password."""
    _plain(text)
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
        return SecretStr(_POSTGRESQL + rest)
    if backend in ("sqlite", "postgres", "postgresql"):
        raise Wrong("names a driver that is not shipped; leave it out: sqlite:///… or postgresql://…")
    raise Wrong("names a database that is not supported; give sqlite:///… or postgresql://…")


def _sqlite(rest: str) -> str:
    """What follows sqlite://, once it is sure to be a file."""
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


DatabaseUrl = Annotated[SecretStr, Read(_database, secret=True)]
LogFormatSetting = Annotated[LogFormat | None, Read(_choice(LogFormat))]
LogLevelSetting = Annotated[LogLevel, Read(_choice(LogLevel, upper=True))]
_DEFAULT_DATABASE = SecretStr("sqlite:///reconciler.db")


class DatabaseSettings(BaseModel):
    """What a command needs that works on the database alone: no key, no vendor."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: DatabaseUrl = _DEFAULT_DATABASE
    log_format: LogFormatSetting = None
    log_level: LogLevelSetting = "INFO"

    def secret_values(self) -> tuple[str, ...]:
        """Every text that must never be printed, for the log's redaction: the database's password."""
        return tuple(_passwords(self.database_url.get_secret_value()))


class Settings(BaseModel):
    """Everything that is configured."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    pagerduty_api_key: Annotated[SecretStr, Read(_token, secret=True, needs="a REST API key of PagerDuty")]
    pagerduty_service_id: Annotated[str, Read(_id, needs="the id of the service, such as PABC123")]
    pagerduty_email: Annotated[str, Read(_email, needs="the automation user's login e-mail")]
    pagerduty_user: Annotated[str, Read(_plain, needs="the automation user's id or name")]
    pagerduty_webhook_secret: Annotated[tuple[SecretStr, ...], Read(_tokens, secret=True)] = ()
    opsgenie_api_key: Annotated[
        SecretStr, Read(_token, secret=True, needs="the key of an API integration of Opsgenie")
    ]
    opsgenie_integration_id: Annotated[str | None, Read(_id)] = None
    opsgenie_webhook_secret: Annotated[SecretStr | None, Read(_token, secret=True)] = None
    pagerduty_api_url: Annotated[str, Read(_api_url("pagerduty"))] = "https://api.pagerduty.com"
    opsgenie_api_url: Annotated[str, Read(_api_url("opsgenie"))] = "https://api.opsgenie.com"
    opsgenie_query: Annotated[str, Read(_plain)] = ""
    database_url: DatabaseUrl = _DEFAULT_DATABASE
    poll_interval_seconds: Annotated[float, Read(_seconds(exclusive=True))] = 10.0
    sweep_interval_seconds: Annotated[float, Read(_seconds(exclusive=True))] = 300.0
    initial_lookback_seconds: Annotated[float, Read(_seconds())] = 3600.0
    staleness_seconds: Annotated[float, Read(_seconds())] = 120.0
    retention_seconds: Annotated[float, Read(_seconds(3600.0))] = 30 * 86400.0
    on_opsgenie_unacknowledge: Annotated[UnacknowledgePolicy, Read(_choice(UnacknowledgePolicy))] = "retrigger"
    on_opsgenie_close: Annotated[ClosePolicy, Read(_choice(ClosePolicy))] = "note"
    on_opsgenie_priority: Annotated[PriorityPolicy, Read(_choice(PriorityPolicy))] = "urgency"
    high_urgency_priorities: Annotated[tuple[str, ...], Read(_priorities)] = ("P1", "P2")
    on_pagerduty_ack_timeout: Annotated[TimeoutPolicy, Read(_choice(TimeoutPolicy))] = "mirror"
    remind_seconds: Annotated[float, Read(_seconds(exclusive=True))] = 600.0
    http_listen: Annotated[Address | None, Read(_address)] = None
    log_format: LogFormatSetting = None
    log_level: LogLevelSetting = "INFO"

    def warnings(self) -> tuple[str, ...]:
        """What is allowed and probably not meant: a line each, naming its variable."""
        terms = ", ".join(volatile_terms(self.opsgenie_query))
        if not terms:
            return ()
        warning = (
            f"OPSGENIE_QUERY: asks for {terms}, which changes while an alert lives: an alert that is raised and "
            "closed or acknowledged between two polls is not seen and pages nobody, and what is done to an alert "
            "that leaves the query is seen only at the next sweep; leave it out of the query"
        )
        return (warning,)

    def unused(self) -> tuple[str, ...]:
        """Names of what is given for the fast path and opens nothing, for want of HTTP_LISTEN."""
        given = {
            "PAGERDUTY_WEBHOOK_SECRET": self.pagerduty_webhook_secret,
            "OPSGENIE_INTEGRATION_ID": self.opsgenie_integration_id,
        }
        return () if self.http_listen else tuple(name for name, value in given.items() if value)

    def secret_values(self) -> tuple[str, ...]:
        """Every text that must never be printed, for the log's redaction. Of the database only its password."""
        keys = [self.pagerduty_api_key, self.opsgenie_api_key, *self.pagerduty_webhook_secret]
        if self.opsgenie_webhook_secret:
            keys.append(self.opsgenie_webhook_secret)
        return (*(key.get_secret_value() for key in keys), *_passwords(self.database_url.get_secret_value()))


def variables() -> dict[str, Read]:
    """Every variable by name, in the contract's order."""
    return {
        name.upper(): next(item for item in field.metadata if isinstance(item, Read))
        for name, field in Settings.model_fields.items()
    }


def load(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings. SettingsError with all problems when there are any.

    `dotenv` is read when it is there; the environment wins over it, whether it gives a secret X or an X_FILE.
    """
    return Settings(**_values(variables(), environ, dotenv))


def load_database(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> DatabaseSettings:
    """The settings of a command that needs the database alone, by the same rules. No key is required."""
    mine = {name: read for name, read in variables().items() if name.lower() in DatabaseSettings.model_fields}
    return DatabaseSettings(**_values(mine, environ, dotenv))


def _values(wanted: Mapping[str, Read], environ: Mapping[str, str], dotenv: Path | None) -> dict[str, Any]:
    """The values of these variables that are given, by field."""
    problems: list[str] = []
    layers = (environ, _read_dotenv(dotenv, problems))
    texts: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, read in wanted.items():
        try:
            text = _look_up(name, read, layers)
            if text:
                texts[name] = text
                values[name.lower()] = read.parse(text)
            elif read.needs:
                problems.append(f"{name}: is missing; give {read.needs}{_or_file(name, read)}")
        except Wrong as wrong:
            texts.setdefault(name, "")  # given, if badly: nothing else is wrong for its want
            problems.append(f"{name}: {wrong}")
    problems += _contradictions(texts)
    if problems:
        secrets = [name for name, read in variables().items() if read.secret]
        hidden = [layer.get(name, "") for layer in (*layers, texts) for name in secrets]
        raise SettingsError(_without(problem, hidden) for problem in problems)
    return values


def _read_dotenv(file: Path | None, problems: list[str]) -> dict[str, str]:
    """The .env file's values, without interpolation. What cannot be read or is misspelt is a problem."""
    if file is None:
        return {}
    try:
        lines = list(parse_stream(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(f"{file.name}: cannot be read: {words}; mend or remove it")
        return {}
    known = [name + end for name, read in variables().items() for end in (("", "_FILE") if read.secret else ("",))]
    values: dict[str, str] = {}
    for line in lines:
        if line.error:
            problems.append(f"{file.name}: line {line.original.line} cannot be read; write NAME=value")
        elif line.key is not None:
            values[line.key] = line.value or ""
            if line.key not in known and line.key.startswith(_OURS):
                nearest = difflib.get_close_matches(line.key, known, n=1, cutoff=0.0)[0]
                problems.append(f"{line.key}: there is no such variable; {file.name} perhaps means {nearest}")
    return values


_OURS = ("OPSGENIE_", "PAGERDUTY_", "ON_OPSGENIE", "ON_PAGERDUTY")


def _look_up(name: str, read: Read, layers: tuple[Mapping[str, str], ...]) -> str:
    """The variable's text from the first layer that gives it; empty when none does."""
    for layer in layers:
        text = layer.get(name, "")
        if not read.secret:
            text = text.strip()
        path = layer.get(f"{name}_FILE", "") if read.secret else ""
        if text and path:
            raise Wrong(f"is given twice, as {name} and as {name}_FILE; remove one of them")
        if path:
            return _read_file(f"{name}_FILE", path)
        if text:
            return text
    return ""


def _read_file(name: str, path: str) -> str:
    """What a secret's file holds. The path is not shown: it may be the secret itself, given by mistake."""
    mend = "give the path of a readable file that holds the value alone"
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(LARGEST_FILE + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Wrong(f"cannot be read from {name}: {words}; {mend}") from None
    if not text or len(text) > LARGEST_FILE:
        raise Wrong(f"cannot be read from {name}: the file is {'too large' if text else 'empty'}; {mend}")
    return text


def _contradictions(texts: Mapping[str, str]) -> Iterator[str]:
    """Values that are right by themselves and wrong together."""
    if "OPSGENIE_WEBHOOK_SECRET" in texts and "OPSGENIE_INTEGRATION_ID" not in texts:
        yield (
            "OPSGENIE_WEBHOOK_SECRET: is of no use without OPSGENIE_INTEGRATION_ID, which opens the fast path; "
            "set that, or remove it"
        )


def _passwords(url: str) -> Iterator[str]:
    """The database's password, as it stands in the URL and as it is meant."""
    rest = url.partition("://")[2]
    found = re.match(r"[^:/]*:([^@]*)@", rest)
    if found and found[1]:
        yield from dict.fromkeys((found[1], unquote(found[1])))
    yield from parse_qs(rest.partition("?")[2]).get("password", ())


def _or_file(name: str, read: Read) -> str:
    return f", or its file's path as {name}_FILE" if read.secret else ""


def _shown(text: str) -> str:
    """A value as it is quoted in a problem: one line, never long."""
    return json.dumps(text if len(text) <= 60 else f"{text[:60]}…", ensure_ascii=not text.isprintable())  # noqa: PLR2004


def _without(problem: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= SHORTEST_HIDDEN:
            problem = problem.replace(secret, "***")
    return problem
