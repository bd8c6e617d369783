"""Configuration from environment variables, `.env` and secret files.

The models are the table of all variables: a field is its variable in lower case, and its annotation says how its
text is parsed. All problems are reported at once, and none of them shows a secret.
"""

import base64
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr

from reconciler.core import title
from reconciler.errors import Misconfigured
from reconciler.settings_incidents import ALL, NONE, detail_names, priority_names, title_template
from reconciler.settings_names import query_warnings
from reconciler.settings_reading import Reading, Variable, read_all
from reconciler.settings_sources import Layer, can_be_read_again, exposed, read_dotenv, read_secret
from reconciler.settings_texts import Address as Address  # noqa: PLC0414 - offered from here too
from reconciler.settings_texts import (
    api_url,
    choice,
    database,
    email,
    file_path,
    host_and_port,
    identifier,
    passwords,
    plain,
    priorities,
    seconds,
    site_url,
    token,
    tokens,
    web_address,
)

UnacknowledgePolicy = Literal["retrigger", "note"]
ClosePolicy = Literal["note", "resolve", "ignore"]
TimeoutPolicy = Literal["mirror", "ignore"]
PriorityPolicy = Literal["urgency", "note", "ignore"]
LatePolicy = Literal["page", "note", "skip"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Consent = Literal["no", "yes"]
AlertSource = Literal["opsgenie", "jsm"]
AlertShadow = Literal["jsm"]


LEAST_SECRET = 16
"""Characters: a shorter secret of a webhook is worth a warning."""


class SettingsError(Misconfigured):
    """Invalid configuration: one line per problem, each with its variable and the fix."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


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
        return tuple(passwords(self.database_url.get_secret_value()))


_S = TypeVar("_S", bound=DatabaseSettings)


class LookupSettings(DatabaseSettings):
    """Configuration of `explain`: the database, and, where they are set, the keys to ask the vendors with."""

    opsgenie_api_key: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    opsgenie_api_url: Annotated[str, Variable(api_url("opsgenie"))] = "https://api.opsgenie.com"
    opsgenie_query: Annotated[str, Variable(plain)] = ""
    alert_source: Annotated[AlertSource, Variable(choice(AlertSource))] = "opsgenie"
    jsm_site_url: Annotated[str, Variable(site_url)] = ""
    jsm_cloud_id: Annotated[str, Variable(identifier)] = ""
    jsm_email: Annotated[str, Variable(email)] = ""
    jsm_api_token: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    jsm_query: Annotated[str, Variable(plain)] = ""
    jsm_api_url: Annotated[str, Variable(api_url("atlassian"))] = "https://api.atlassian.com"
    pagerduty_api_key: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    pagerduty_api_url: Annotated[str, Variable(api_url("pagerduty"))] = "https://api.pagerduty.com"
    pagerduty_service_id: Annotated[str, Variable(identifier)] = ""
    allow_plain_http: Annotated[Consent, Variable(choice(Consent))] = "no"
    retention_seconds: Annotated[float, Variable(seconds(3600.0))] = 30 * 86400.0

    def secret_values(self) -> tuple[str, ...]:
        """Texts to redact from all output: the keys and the database's password."""
        keys = (self.opsgenie_api_key, self.jsm_api_token, self.pagerduty_api_key)
        return (*(key.get_secret_value() for key in keys if key), *super().secret_values())


class Settings(BaseModel):
    """The whole configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    pagerduty_api_key: Annotated[SecretStr, Variable(token, secret=True, needs="a REST API key of PagerDuty")]
    pagerduty_service_id: Annotated[str, Variable(identifier, needs="the id of the service, such as PABC123")]
    pagerduty_email: Annotated[str, Variable(email, needs="the automation user's login e-mail")]
    pagerduty_user: Annotated[str, Variable(plain, needs="the automation user's id or name")]
    pagerduty_webhook_secret: Annotated[tuple[SecretStr, ...], Variable(tokens, secret=True)] = ()
    alert_source: Annotated[AlertSource, Variable(choice(AlertSource))] = "opsgenie"
    alert_shadow: Annotated[AlertShadow | None, Variable(choice(AlertShadow))] = None
    opsgenie_api_key: Annotated[
        SecretStr,
        Variable(token, secret=True, needs="the key of an API integration of Opsgenie", source="opsgenie"),
    ] = SecretStr("")
    opsgenie_integration_id: Annotated[str | None, Variable(identifier)] = None
    opsgenie_webhook_secret: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    pagerduty_api_url: Annotated[str, Variable(api_url("pagerduty"))] = "https://api.pagerduty.com"
    opsgenie_api_url: Annotated[str, Variable(api_url("opsgenie"))] = "https://api.opsgenie.com"
    allow_plain_http: Annotated[Consent, Variable(choice(Consent))] = "no"
    opsgenie_query: Annotated[str, Variable(plain)] = ""
    jsm_site_url: Annotated[
        str, Variable(site_url, needs="the address of the site, such as https://acme.atlassian.net", source="jsm")
    ] = ""
    jsm_cloud_id: Annotated[str, Variable(identifier)] = ""
    jsm_email: Annotated[
        str,
        Variable(email, needs="the e-mail address of an Atlassian user who may use Operations", source="jsm"),
    ] = ""
    jsm_api_token: Annotated[
        SecretStr, Variable(token, secret=True, needs="an API token of that user", source="jsm")
    ] = SecretStr("")
    jsm_integration_key: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    jsm_query: Annotated[str, Variable(plain)] = ""
    jsm_webhook_integration_id: Annotated[str | None, Variable(identifier)] = None
    jsm_webhook_secret: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    jsm_api_url: Annotated[str, Variable(api_url("atlassian"))] = "https://api.atlassian.com"
    routes_file: Annotated[Path | None, Variable(file_path)] = None
    database_url: DatabaseUrl = _DEFAULT_DATABASE
    poll_interval_seconds: PollInterval = 10.0
    sweep_interval_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 300.0
    initial_lookback_seconds: Annotated[float, Variable(seconds())] = 3600.0
    staleness_seconds: Annotated[float, Variable(seconds())] = 120.0
    retention_seconds: Annotated[float, Variable(seconds(3600.0))] = 30 * 86400.0
    on_opsgenie_unacknowledge: Annotated[
        UnacknowledgePolicy, Variable(choice(UnacknowledgePolicy), alias="ON_ALERT_UNACKNOWLEDGE")
    ] = "retrigger"
    on_opsgenie_close: Annotated[ClosePolicy, Variable(choice(ClosePolicy), alias="ON_ALERT_CLOSE")] = "note"
    on_opsgenie_priority: Annotated[
        PriorityPolicy, Variable(choice(PriorityPolicy), alias="ON_ALERT_PRIORITY")
    ] = "urgency"
    high_urgency_priorities: Annotated[tuple[str, ...], Variable(priorities)] = ("P1", "P2")
    pagerduty_priorities: Annotated[tuple[tuple[str, str], ...], Variable(priority_names)] = ()
    incident_title: Annotated[str, Variable(title_template)] = title.MESSAGE
    incident_details: Annotated[tuple[str, ...], Variable(detail_names)] = (ALL,)
    on_pagerduty_ack_timeout: Annotated[TimeoutPolicy, Variable(choice(TimeoutPolicy))] = "mirror"
    on_late_alert: Annotated[LatePolicy, Variable(choice(LatePolicy))] = "page"
    late_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 3600.0
    heartbeat_url: Annotated[SecretStr | None, Variable(web_address, secret=True)] = None
    opsgenie_heartbeat: Annotated[str | None, Variable(plain)] = None
    heartbeat_interval_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 60.0
    outage_page_seconds: Annotated[float, Variable(seconds())] = 900.0
    remind_seconds: Annotated[float, Variable(seconds(exclusive=True))] = 600.0
    http_listen: Annotated[Address | None, Variable(host_and_port)] = None
    status_listen: Annotated[Address | None, Variable(host_and_port)] = None
    status_password: Annotated[SecretStr | None, Variable(token, secret=True)] = None
    log_format: LogFormatSetting = None
    log_level: LogLevelSetting = "INFO"
    _misspelt: tuple[str, ...] = PrivateAttr(default=())

    def warnings(self, called: Callable[[str], str] = str) -> tuple[str, ...]:
        """What is probably a mistake: names near ours in the environment, and values; one line each.

        `called` is what a variable that a route may set is called in them.
        """
        found = list(self._misspelt)
        if self.status_password and not (self.status_listen or self.http_listen):
            found.append("STATUS_PASSWORD: is of no use without STATUS_LISTEN: there is no status page")
        found += self._guessed()
        read_from = (self.alert_source, self.alert_shadow)
        if "opsgenie" in read_from:
            found += query_warnings(called("OPSGENIE_QUERY"), self.opsgenie_query)
        if "jsm" in read_from:
            found += query_warnings(called("JSM_QUERY"), self.jsm_query, other=self.opsgenie_query)
        return tuple(found)

    def _guessed(self) -> list[str]:
        """Entrances of the fast path that have no secret, or one that can be guessed."""
        if not self.http_listen:
            return []
        secrets = {
            "OPSGENIE_WEBHOOK_SECRET": (self.opsgenie_integration_id, self.opsgenie_webhook_secret),
            "JSM_WEBHOOK_SECRET": (self.jsm_webhook_integration_id, self.jsm_webhook_secret),
        }
        missing = [
            f"{name}: is not set, so that whoever knows the integration's id can send webhooks, each of which "
            "causes reads; set it, and the same value as the header X-Webhook-Secret in the integration"
            for name, (opened, secret) in secrets.items()
            if opened and secret is None
        ]
        given = [(name, secret) for name, (_, secret) in secrets.items() if secret is not None]
        given += [("PAGERDUTY_WEBHOOK_SECRET", secret) for secret in self.pagerduty_webhook_secret]
        short = dict.fromkeys(name for name, secret in given if len(secret) < LEAST_SECRET)
        return missing + [
            f"{name}: is shorter than {LEAST_SECRET} characters, so that it can be guessed; give a longer one"
            for name in short
        ]

    def hears_webhooks(self) -> bool:
        """Whether the fast path is open."""
        ids = (self.opsgenie_integration_id, self.jsm_webhook_integration_id)
        return bool(self.http_listen and (self.pagerduty_webhook_secret or any(ids)))

    def unused(self) -> tuple[str, ...]:
        """Variables of the fast path that have no effect, because HTTP_LISTEN is empty."""
        given = {
            "PAGERDUTY_WEBHOOK_SECRET": self.pagerduty_webhook_secret,
            "OPSGENIE_INTEGRATION_ID": self.opsgenie_integration_id,
            "JSM_WEBHOOK_INTEGRATION_ID": self.jsm_webhook_integration_id,
        }
        return () if self.http_listen else tuple(name for name, value in given.items() if value)

    def details(self) -> frozenset[str] | None:
        """The names of the alert's details that an incident's body has; None for all."""
        given = self.incident_details
        return None if given == (ALL,) else frozenset(given) - {NONE}

    def jsm_credentials(self) -> str:
        """How JSM's account API is told who asks: e-mail address and token, in base64; empty without a token."""
        token = self.jsm_api_token.get_secret_value()
        return base64.b64encode(f"{self.jsm_email}:{token}".encode()).decode() if token else ""

    def secret_values(self) -> tuple[str, ...]:
        """Texts to redact from all output: keys, secrets and the database's password."""
        keys = (
            self.pagerduty_api_key,
            self.opsgenie_api_key,
            *self.pagerduty_webhook_secret,
            self.opsgenie_webhook_secret,
            self.jsm_api_token,
            self.jsm_integration_key,
            self.jsm_webhook_secret,
            self.heartbeat_url,
            self.status_password,
        )
        texts = (key.get_secret_value() for key in keys if key is not None)
        return (*filter(None, (*texts, self.jsm_credentials())), *passwords(self.database_url.get_secret_value()))


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
    found = read(environ, dotenv)
    if found.problems:
        raise SettingsError(found.problems)
    return settings_of(found)


def settings_of(found: Reading) -> Settings:
    """The settings of a reading without problems."""
    settings = Settings(**found.values)
    settings._misspelt = found.warnings  # noqa: SLF001 - of this module, and no variable of its own
    return settings


def load_database(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> DatabaseSettings:
    """The settings of a command that needs only the database, by the same rules; no key is required."""
    return _loaded(DatabaseSettings, environ, dotenv)


def read(environ: Mapping[str, str], dotenv: Path | None) -> Reading:
    """All that the environment and the .env file say, problems included."""
    return read_all(variables(), environ, dotenv)


def load_lookup(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> LookupSettings:
    """The settings of `explain`, by the same rules; no key is required."""
    return _loaded(LookupSettings, environ, dotenv)


def _loaded(model: type[_S], environ: Mapping[str, str], dotenv: Path | None) -> _S:
    """The model's variables alone; what is required elsewhere is not required here."""
    mine = {
        name: replace(each, needs="") for name, each in variables().items() if name.lower() in model.model_fields
    }
    found = read_all(variables(), environ, dotenv, mine)
    if found.problems:
        raise SettingsError(found.problems)
    return model(**found.values)


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret that is given as a file. The path is not shown: it may be the secret itself, given by mistake.

    `called` is its name in messages: the variable, or its place in the routes file.
    """

    variable: str
    path: str = field(repr=False)
    called: str

    def read(self) -> Any:
        """The file's present value, parsed. Wrong if it cannot be read, or is malformed."""
        source = f"{self.variable}_FILE" if self.called == self.variable else "the file"
        return variables()[self.variable].parse(read_secret(source, self.path))


def secret_files(environ: Mapping[str, str] = os.environ, dotenv: Path | None = Path(".env")) -> list[SecretFile]:
    """The secrets that are given as files which can be read again."""
    return files_of((Layer("environment", environ), read_dotenv(dotenv, [])))


def files_of(layers: Sequence[Layer]) -> list[SecretFile]:
    """The secrets that these layers give as files which can be read again."""
    found = []
    for name, each in variables().items():
        first = next((layer for layer in layers if layer.sets(name)), None)
        path = first.texts.get(f"{name}_FILE", "") if first else ""
        if first and each.secret and path and can_be_read_again(path):
            found.append(SecretFile(name, path, first.called(name)))
    return found


def exposures(dotenv: Path | None = Path(".env")) -> tuple[str, ...]:
    """A warning if everybody on the machine may read secrets in the .env file."""
    return exposed(dotenv, [name for name, each in variables().items() if each.secret])
