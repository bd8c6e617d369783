"""The HTTP endpoints: health, readiness, metrics and the two webhooks.

Every answer comes from memory, and no answer repeats anything of its request.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from time import monotonic

from flask import Flask, Response, request
from pydantic import SecretStr
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from reconciler.core.hints import Hint
from reconciler.core.model import Side
from reconciler.observability.health import Health
from reconciler.observability.logs import get_logger
from reconciler.observability.metrics import Metrics
from reconciler.settings import Settings
from reconciler.web import readiness
from reconciler.web.access import is_let_in
from reconciler.web.answers import json_answer, log_defect, with_headers
from reconciler.web.webhooks import (
    PING,
    Deliveries,
    Malformed,
    is_same,
    is_signed,
    may_name,
    opsgenie_hint,
    pagerduty_event,
    pagerduty_hint,
    parsed,
)

LARGEST_BODY = 1024 * 1024
"""Bytes of a request's body; more is answered 413."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
"""Headers of every answer of the application."""
ACCEPTED = 202
LINES_A_PERIOD, LOG_PERIOD = 6, 60.0
"""The most log lines about one vendor's rejected webhooks in so many seconds."""
UNAUTHENTIC = (401, 403)

log = get_logger(__name__)


class WebhookRejected(Exception):
    """A webhook that fails authentication: the status of the answer, and the outcome that is counted."""

    def __init__(self, status: int, outcome: str) -> None:
        self.status = status
        self.outcome = outcome
        super().__init__(outcome)


@dataclass(frozen=True, slots=True)
class Several:
    """The data of the endpoints for several routes: the present health of each, and the text of all metrics."""

    health: Callable[[], Mapping[str, Health]]
    metrics: Callable[[], bytes]


def create(
    settings: Settings,
    metrics: Metrics,
    put: Callable[[Hint], None],
    now: Callable[[], Settings] | None = None,
    several: Several | None = None,
) -> Flask:
    """The application. `put` takes each hint and must not block; a webhook's path exists only where configured.

    `now` returns the settings with the secrets that are valid by now. With `several` routes, `metrics` are those
    that webhooks are counted in and whose health is the process's.
    """
    valid = now or (lambda: settings)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.after_request(partial(with_headers, HEADERS))

    def rule(path: str, method: str, answer: Callable[[], Response]) -> None:
        app.add_url_rule(path, path, answer, methods=[method], provide_automatic_options=False)

    rule("/healthz", "GET", lambda: _health(metrics))
    exposed = several.metrics if several else metrics.text
    rule("/readyz", "GET", lambda: _readiness(metrics, several, valid().status_password))
    rule("/metrics", "GET", lambda: Response(exposed(), content_type=PROMETHEUS))
    endpoints: dict[str, _Endpoint] = {}
    if settings.pagerduty_webhook_secret:
        pagerduty = _PagerDutyWebhook(lambda: valid().pagerduty_webhook_secret, put)
        endpoints["/pd-webhook"] = _Endpoint(Side.PAGERDUTY, pagerduty.receive, metrics)
    alerts = _alerts_webhook(settings, valid, put)
    if alerts is not None:
        endpoints["/ops-webhook"] = _Endpoint(Side.ALERTS, alerts.receive, metrics, _fixes(settings))
    for path, endpoint in endpoints.items():
        rule(path, "POST", endpoint.answer)
    app.register_error_handler(Exception, lambda error: _failed(error, endpoints.get(request.path)))
    return app


def _health(metrics: Metrics) -> Response:
    alive = metrics.health.alive()
    return json_answer(200 if alive else 503, {"alive": alive})


def _readiness(metrics: Metrics, several: Several | None, password: SecretStr | None) -> Response:
    """The answer of /readyz; `?route=` asks for one of several routes."""
    knows_all = password is not None and is_let_in(request.authorization, password.get_secret_value())
    if several is None:
        return readiness.of_one(metrics.health, knows_all=knows_all)
    routes, name = several.health(), request.args.get("route")
    if name is None:
        return readiness.of_several(routes, knows_all=knows_all)
    return readiness.of_one(routes[name], knows_all=knows_all) if name in routes else readiness.of_unknown()


_OUTCOMES = {
    Side.PAGERDUTY: ("accepted", "repeated", "ping", "ignored", "bad_signature"),
    Side.ALERTS: ("accepted", "bad_secret", "other_integration"),
}
"""Outcomes of a webhook that is read and well-formed."""
_UNREAD = {405: "wrong_method", 413: "too_large"}
"""Outcomes of requests that the application refuses unread, by the status of the answer."""


class _Endpoint:
    """One vendor's webhook: answers and counts each delivery, and logs when rejections begin and end."""

    def __init__(
        self,
        side: Side,
        receive: Callable[[bytes], str],
        metrics: Metrics,
        fixes: Mapping[str, str] | None = None,
    ) -> None:
        """`fixes`: what to do about a rejection, by its outcome."""
        self._side = side
        self._fixes = fixes or _FIX
        self._receive = receive
        self._metrics = metrics
        self._name = metrics.health.product.name_of(side)
        self._rejection = ""
        self._logged: deque[float] = deque(maxlen=LINES_A_PERIOD)
        outcomes = (*_OUTCOMES[side], "malformed", *_UNREAD.values())
        key = metrics.health.product.key_of(side)
        metrics.expect("reconciler_webhooks_total", ((key, outcome) for outcome in outcomes))

    def answer(self) -> Response:
        """The answer to one delivery."""
        try:
            outcome, status = self._receive(request.get_data(cache=False)), ACCEPTED
        except WebhookRejected as rejected:
            outcome, status = rejected.outcome, rejected.status
        except Malformed:
            outcome, status = "malformed", 400
        self._metrics.webhook(self._side, outcome)
        self._log_change(outcome, status)
        return json_answer(status, {"result": outcome})

    def refused(self, status: int) -> None:
        """Count a request that was refused unread."""
        self._metrics.webhook(self._side, _UNREAD.get(status, "malformed"))

    def _log_change(self, outcome: str, status: int) -> None:
        """Log each change: otherwise a wrong secret would silently disable the fast path."""
        if status in UNAUTHENTIC and outcome != self._rejection:
            if self._may_log():
                self._rejection = outcome
                words, vendor = "a webhook is turned away", self._name
                log.error(words, subject="webhook", vendor=vendor, outcome=outcome, fix=self._fixes[outcome])
        elif status == ACCEPTED and self._rejection and self._may_log():
            self._rejection = ""
            log.info("webhooks are genuine again", vendor=self._name)

    def _may_log(self) -> bool:
        """Whether another line may be logged: genuine and forged webhooks in turn would otherwise fill the log."""
        now = monotonic()
        if len(self._logged) == self._logged.maxlen and now - self._logged[0] < LOG_PERIOD:
            return False
        self._logged.append(now)
        return True


_FIX = {
    "bad_signature": "PAGERDUTY_WEBHOOK_SECRET: it is not signed with this; unless somebody forges webhooks, set "
    "the subscription's secret: after three such answers PagerDuty switches a subscription off for a day",
    "bad_secret": "OPSGENIE_WEBHOOK_SECRET: its header X-Webhook-Secret is not this; unless somebody forges "
    "webhooks, set the same value in the integration's custom headers",
    "other_integration": "OPSGENIE_INTEGRATION_ID: its integrationId is not this; unless somebody forges "
    "webhooks, copy the id of the integration that sends them",
}
"""What to do about a rejection, by its outcome."""


class _PagerDutyWebhook:
    """POST /pd-webhook."""

    def __init__(self, secrets: Callable[[], tuple[SecretStr, ...]], put: Callable[[Hint], None]) -> None:
        self._secrets = secrets
        self._deliveries = Deliveries()
        self._put = put

    def receive(self, body: bytes) -> str:
        """Take the delivery's hint. Returns the outcome."""
        secrets = [secret.get_secret_value().encode() for secret in self._secrets()]
        if not is_signed(body, request.headers.get("X-PagerDuty-Signature", ""), secrets):
            raise WebhookRejected(401, "bad_signature")
        event = pagerduty_event(parsed(body))
        delivery = request.headers.get("X-Webhook-Id", "")
        if delivery and not self._deliveries.is_new(delivery):
            return "repeated"
        if event["event_type"] == PING:
            log.info("PagerDuty's test webhook has arrived")
            return "ping"
        hint = pagerduty_hint(event)
        if hint is None:
            return "ignored"
        self._put(hint)
        return "accepted"


def _fixes(settings: Settings) -> Mapping[str, str]:
    """The same for the configured product: JSM's webhooks are Opsgenie's, and their settings have other names."""
    if settings.alert_source == "opsgenie":
        return _FIX
    names = {
        "OPSGENIE_INTEGRATION_ID": "JSM_WEBHOOK_INTEGRATION_ID", "OPSGENIE_WEBHOOK_SECRET": "JSM_WEBHOOK_SECRET"
    }  # fmt: skip
    return {
        outcome: reduce(lambda words, name: words.replace(name, names[name]), names, fix)
        for outcome, fix in _FIX.items()
    }


class _AlertsWebhook:
    """POST /ops-webhook."""

    def __init__(
        self, integration: str, secret: Callable[[], SecretStr | None], put: Callable[[Hint], None]
    ) -> None:
        self._integration = integration
        self._secret = secret
        self._put = put

    def receive(self, body: bytes) -> str:
        """Take the delivery's hint. Returns the outcome."""
        given = request.headers.get("X-Webhook-Secret", "")
        secret = self._secret()
        if secret is not None and not is_same(given, secret.get_secret_value()):
            raise WebhookRejected(401, "bad_secret")
        if secret is None and not may_name(body, self._integration):  # anybody may have sent it
            raise WebhookRejected(403, "other_integration")
        values = parsed(body)
        if not is_same(values.get("integrationId"), self._integration):
            raise WebhookRejected(403, "other_integration")
        self._put(opsgenie_hint(values))
        return "accepted"


def _alerts_webhook(
    settings: Settings, valid: Callable[[], Settings], put: Callable[[Hint], None]
) -> _AlertsWebhook | None:
    """That of the product which raises the alerts; None unless its integration is configured."""
    if settings.alert_source == "opsgenie":
        integration, secret = settings.opsgenie_integration_id, lambda: valid().opsgenie_webhook_secret
    else:
        integration, secret = settings.jsm_webhook_integration_id, lambda: valid().jsm_webhook_secret
    return _AlertsWebhook(integration, secret, put) if integration else None


def _failed(error: Exception, endpoint: _Endpoint | None) -> Response:
    """The answer to a failure, in fixed words: only the log says what failed."""
    if not isinstance(error, HTTPException):
        log_defect(error)
        return json_answer(500, {"error": "Internal Server Error"})
    if endpoint is not None:
        endpoint.refused(error.code or 500)
    answer = json_answer(error.code or 500, {"error": error.name})
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer
