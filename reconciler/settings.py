"""Configuration from environment variables, `.env` and secret files.

The models are the table of all variables: a field is its variable in lower case, and its annotation says how its
text is parsed. All problems are reported at once, and none of them shows a secret.
"""

import difflib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, unquote

from dotenv.parser import parse_stream
from pydantic import BaseModel, ConfigDict, SecretStr

from reconciler.errors import Misconfigured
from reconciler.settings_texts import Address as Address  # noqa: PLC0414 - offered from here too
from reconciler.settings_texts import (
    Wrong,
    api_url,
    choice,
    database,
    email,
    host_and_port,
    identifier,
    plain,
    priorities,
    seconds,
    token,
    tokens,
    volatile_terms,
    web_address,
)

LARGEST_FILE = 65536  # characters of a file that holds one secret
SHORTEST_HIDDEN = 4  # characters: anything shorter would black out innocent text

UnacknowledgePolicy = Literal["retrigger", "note"]
ClosePolicy = Literal["note", "resolve", "ignore"]
TimeoutPolicy = Literal["mirror", "ignore"]
PriorityPolicy = Literal["urgency", "note", "ignore"]
LatePolicy = Literal["page", "note", "skip"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class SettingsError(Misconfigured):
    """Invalid configuration: one line per problem, each with its variable and the fix."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Variable:
    """The parser of one environment variable. A secret may come from a file and is never shown.

    `needs` says what to give for a variable that has no default.
    """

    parse: Callable[[str], object]
    secret: bool = False
    needs: str = ""


PollInterval = Annotated[float, Variable(seconds(exclusive=True))]
DatabaseUrl = Annotated[SecretStr, Variable(database, secret=True)]
LogFormatSetting = Annotated[LogFormat | None, Variable(choice(LogFormat))]
LogLevelSetting = Annotated[LogLevel, Variable(choice(LogLevel, upper=True))]
_DEFAULT_DATABASE = SecretStr("sqlite:///reconciler.db")


class DatabaseSettings(BaseModel):
    """Configuration of the commands that need only the database."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: DatabaseUrl = _DEFAULT_DATABASE
    poll_interval_seconds: PollInterval = 10.0
    log_format: LogFormatSetting = None
    log_level: LogLevelSetting = "INFO"

    def secret_values(self) -> tuple[str, ...]:
        """Texts to redact from all output: the database's password."""
        return tuple(_passwords(self.database_url.get_secret_value()))


class LookupSettings(DatabaseSettings):
    """Configuration of `explain`: the database, and, where they are set, the keys to ask the vendors with."""

    opsgenie_api_key: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    opsgenie_api_url: Annotated[str, Variable(api_url("opsgenie"))] = "https://api.opsgenie.com"
    opsgenie_query: Annotated[str, Variable(plain)] = ""
    pagerduty_api_key: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    pagerduty_api_url: Annotated[str, Variable(api_url("pagerduty"))] = "https://api.pagerduty.com"
    pagerduty_service_id: Annotated[str, Variable(identifier)] = ""
    retention_seconds: Annotated[float, Variable(seconds(3600.0))] = 30 * 86400.0

    def secret_values(self) -> tuple[str, ...]:
        """Texts to redact from all output: the keys and the database's password."""
        keys = (self.opsgenie_api_key, self.pagerduty_api_key)
        return (*(key.get_secret_value() for key in keys if key), *super().secret_values())


class Settings(BaseModel):
    """The whole configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    pagerduty_api_key: Annotated[SecretStr, Variable(token, secret=True, needs="a REST API key of PagerDuty")]
    pagerduty_service_id: Annotated[str, Variable(identifier, needs="the id of the service, such as PABC123")]
    pagerduty_email: Annotated[str, Variable(email, needs="the automation user's login e-mail")]
    pagerduty_user: Annotated[str, Variable(plain, needs="the automation user's id or name")]
    pagerduty_webhook_secret: Annotated[tuple[SecretStr, ...], Variable(tokens, secret=True)] = ()
    opsgenie_api_key: Annotated[
        SecretStr, Variable(token, secret=True, needs="the key of an API integration of Opsgenie")
    ]
    opsgenie_integration_id: Annotated[str | None, Variable(identifier)] = None
    opsgenie_webhook_secret: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    pagerduty_api_url: Annotated[str, Variable(api_url("pagerduty"))] = "https://api.pagerduty.com"
    opsgenie_api_url: Annotated[str, Variable(api_url("opsgenie"))] = "https://api.opsgenie.com"
    opsgenie_query: Annotated[str, Variable(plain)] = ""
    database_url: DatabaseUrl = _DEFAULT_DATABASE
    poll_interval_seconds: PollInterval = 10.0
    sweep_interval_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 300.0
    initial_lookback_seconds: Annotated[float, Variable(seconds())] = 3600.0
    staleness_seconds: Annotated[float, Variable(seconds())] = 120.0
    retention_seconds: Annotated[float, Variable(seconds(3600.0))] = 30 * 86400.0
    on_opsgenie_unacknowledge: Annotated[UnacknowledgePolicy, Variable(choice(UnacknowledgePolicy))] = "retrigger"
    on_opsgenie_close: Annotated[ClosePolicy, Variable(choice(ClosePolicy))] = "note"
    on_opsgenie_priority: Annotated[PriorityPolicy, Variable(choice(PriorityPolicy))] = "urgency"
    high_urgency_priorities: Annotated[tuple[str, ...], Variable(priorities)] = ("P1", "P2")
    on_pagerduty_ack_timeout: Annotated[TimeoutPolicy, Variable(choice(TimeoutPolicy))] = "mirror"
    on_late_alert: Annotated[LatePolicy, Variable(choice(LatePolicy))] = "page"
    late_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 3600.0
    heartbeat_url: Annotated[SecretStr | None, Variable(web_address, secret=True)] = None
    opsgenie_heartbeat: Annotated[str | None, Variable(plain)] = None
    heartbeat_interval_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 60.0
    outage_page_seconds: Annotated[float, Variable(seconds())] = 900.0
    remind_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 600.0
    http_listen: Annotated[Address | None, Variable(host_and_port)] = None
    log_format: LogFormatSetting = None
    log_level: LogLevelSetting = "INFO"

    def warnings(self) -> tuple[str, ...]:
        """Valid values that are probably mistakes: one line each, naming its variable."""
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
        """Variables of the fast path that have no effect, because HTTP_LISTEN is empty."""
        given = {
            "PAGERDUTY_WEBHOOK_SECRET": self.pagerduty_webhook_secret,
            "OPSGENIE_INTEGRATION_ID": self.opsgenie_integration_id,
        }
        return () if self.http_listen else tuple(name for name, value in given.items() if value)

    def secret_values(self) -> tuple[str, ...]:
        """Texts to redact from all output: keys, secrets and the database's password."""
        keys = [self.pagerduty_api_key, self.opsgenie_api_key, *self.pagerduty_webhook_secret]
        if self.opsgenie_webhook_secret:
            keys.append(self.opsgenie_webhook_secret)
        if self.heartbeat_url:
            keys.append(self.heartbeat_url)
        return (*(key.get_secret_value() for key in keys), *_passwords(self.database_url.get_secret_value()))


def variables() -> dict[str, Variable]:
    """Every variable by name, in the contract's order."""
    return {
        name.upper(): next(item for item in field.metadata if isinstance(item, Variable))
        for name, field in Settings.model_fields.items()
    }


def load(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings. SettingsError with all problems when there are any.

    `dotenv` is read when it is there; the environment wins over it, whether it gives a secret X or an X_FILE.
    """
    return Settings(**_values(variables(), environ, dotenv))


def load_database(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> DatabaseSettings:
    """The settings of a command that needs only the database, by the same rules; no key is required."""
    mine = {name: read for name, read in variables().items() if name.lower() in DatabaseSettings.model_fields}
    return DatabaseSettings(**_values(mine, environ, dotenv))


def load_lookup(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> LookupSettings:
    """The settings of `explain`, by the same rules; no key is required."""
    mine = {
        name: replace(read, needs="")
        for name, read in variables().items()
        if name.lower() in LookupSettings.model_fields
    }
    return LookupSettings(**_values(mine, environ, dotenv))


def _values(wanted: Mapping[str, Variable], environ: Mapping[str, str], dotenv: Path | None) -> dict[str, Any]:
    """The parsed values of the variables that are set, by field; SettingsError with all problems."""
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
            texts.setdefault(name, "")  # it is set: other variables that depend on it are not reported
            problems.append(f"{name}: {wrong}")
    problems += _contradictions(texts)
    if problems:
        secrets = [name for name, read in variables().items() if read.secret]
        hidden = [layer.get(name, "") for layer in (*layers, texts) for name in secrets]
        raise SettingsError(_without(problem, hidden) for problem in problems)
    return values


def _read_dotenv(file: Path | None, problems: list[str]) -> dict[str, str]:
    """The values of the .env file, without interpolation; unreadable lines and misspelt names are problems."""
    if file is None:
        return {}
    try:
        lines = list(parse_stream(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(f"{file.name}: cannot be read: {words}; fix or remove it")
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


def _look_up(name: str, read: Variable, layers: tuple[Mapping[str, str], ...]) -> str:
    """The variable's text from the first layer that sets it; empty when none does."""
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
    """The content of a secret's file. The path is never shown: it may be the secret itself, given by mistake."""
    fix = "give the path of a readable file that holds the value alone"
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(LARGEST_FILE + 1).rstrip("\r\n")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Wrong(f"cannot be read from {name}: {words}; {fix}") from None
    if not text or len(text) > LARGEST_FILE:
        raise Wrong(f"cannot be read from {name}: the file is {'too large' if text else 'empty'}; {fix}")
    return text


def _contradictions(texts: Mapping[str, str]) -> Iterator[str]:
    """Problems with values that are valid by themselves and contradict each other."""
    if "OPSGENIE_WEBHOOK_SECRET" in texts and "OPSGENIE_INTEGRATION_ID" not in texts:
        yield (
            "OPSGENIE_WEBHOOK_SECRET: is of no use without OPSGENIE_INTEGRATION_ID, which opens the fast path; "
            "set that, or remove it"
        )


def _passwords(url: str) -> Iterator[str]:
    """The database's password, both quoted as in the URL and unquoted."""
    rest = url.partition("://")[2]
    found = re.match(r"[^:/]*:([^@]*)@", rest)
    if found and found[1]:
        yield from dict.fromkeys((found[1], unquote(found[1])))
    yield from parse_qs(rest.partition("?")[2]).get("password", ())


def _or_file(name: str, read: Variable) -> str:
    return f", or its file's path as {name}_FILE" if read.secret else ""


def _without(problem: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= SHORTEST_HIDDEN:
            problem = problem.replace(secret, "***")
    return problem
