"""The five endpoints. Each answers from memory, at once; nothing of a request is ever sent back."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from reconciler.core.model import Side
from reconciler.core.text import name_of
from reconciler.feeds import Hint
from reconciler.observability.logs import get_logger
from reconciler.observability.metrics import Metrics
from reconciler.settings import Settings
from reconciler.web.hooks import (
    PING,
    Deliveries,
    Malformed,
    is_same,
    is_signed,
    opsgenie_hint,
    pagerduty_event,
    pagerduty_hint,
    parsed,
)

LARGEST = 1024 * 1024
"""Bytes of a body."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
"""On every answer."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A webhook that is turned away: with which status, and as what it is counted."""

    status: int
    outcome: str


def create(settings: Settings, metrics: Metrics, put: Callable[[Hint], None]) -> Flask:
    """The application. A webhook's endpoint is there only where it is configured."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.after_request(_guarded)
    refused = refusals(settings, metrics)
    app.register_error_handler(Exception, lambda error: _failed(error, refused))

    def rule(path: str, method: str, answer: Callable[[], Response]) -> None:
        app.add_url_rule(path, path, answer, methods=[method], provide_automatic_options=False)

    rule("/healthz", "GET", lambda: _health(metrics))
    rule("/readyz", "GET", lambda: _readiness(metrics))
    rule("/metrics", "GET", lambda: Response(metrics.text(), content_type=PROMETHEUS))
    gate = _Gate(metrics)
    if settings.pagerduty_webhook_secret:
        _expect(metrics, Side.PAGERDUTY)
        pagerduty = _PagerDuty([s.get_secret_value().encode() for s in settings.pagerduty_webhook_secret], put)
        rule("/pd-webhook", "POST", lambda: gate.answer(Side.PAGERDUTY, pagerduty.receive))
    if settings.opsgenie_integration_id:
        _expect(metrics, Side.OPSGENIE)
        secret = settings.opsgenie_webhook_secret
        opsgenie = _Opsgenie(settings.opsgenie_integration_id, secret.get_secret_value() if secret else None, put)
        rule("/ops-webhook", "POST", lambda: gate.answer(Side.OPSGENIE, opsgenie.receive))
    return app


def refusals(settings: Settings, metrics: Metrics) -> Callable[[str, int], None]:
    """What counts, by path and status, the webhooks that are turned away unread."""
    configured = {
        "/pd-webhook": Side.PAGERDUTY if settings.pagerduty_webhook_secret else None,
        "/ops-webhook": Side.OPSGENIE if settings.opsgenie_integration_id else None,
    }

    def refused(path: str, status: int) -> None:
        side = configured.get(path)
        if side is not None:
            metrics.webhook(side, _UNREAD.get(status, "malformed"))

    return refused


_UNREAD = {405: "wrong_method", 413: "too_large", 431: "too_large"}
_OUTCOMES = {
    Side.PAGERDUTY: ("accepted", "repeated", "ping", "ignored", "bad_signature"),
    Side.OPSGENIE: ("accepted", "bad_secret", "other_integration"),
}
"""What a webhook can come to beside being malformed or refused unread."""


def _expect(metrics: Metrics, side: Side) -> None:
    outcomes = (*_OUTCOMES[side], "malformed", *_UNREAD.values())
    metrics.expect("reconciler_webhooks_total", ((side.value, outcome) for outcome in outcomes))


def _health(metrics: Metrics) -> Response:
    alive = metrics.vitals.alive()
    return _json(200 if alive else 503, {"alive": alive})


def _readiness(metrics: Metrics) -> Response:
    reason = metrics.vitals.unready()
    vitals = metrics.vitals
    detail = {"ready": not reason, "role": vitals.role(), "reason": reason, "dead_actions": vitals.dead}
    return _json(
        503 if reason else 200, {name: value for name, value in detail.items() if name != "reason" or value}
    )


class _Gate:
    """Counts every webhook, and tells when one vendor's begin or cease to be turned away."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._turned_away: dict[Side, str] = {}

    def answer(self, side: Side, receive: Callable[[], str]) -> Response:
        try:
            outcome, status = receive(), 202
        except Refusal as refusal:
            outcome, status = refusal.outcome, refusal.status
        except Malformed:
            outcome, status = "malformed", 400
        self._metrics.webhook(side, outcome)
        self._tell(side, outcome, status)
        return _json(status, {"result": outcome})

    def _tell(self, side: Side, outcome: str, status: int) -> None:
        """Loudly, once per change: with a wrong secret the fast path would end without a word."""
        before = self._turned_away.get(side, "")
        if status in (401, 403) and outcome != before:
            self._turned_away[side] = outcome
            log.error("a webhook is turned away", vendor=name_of(side), outcome=outcome, mend=_MEND[outcome])
        elif status == 202 and before:  # noqa: PLR2004 - HTTP
            del self._turned_away[side]
            log.info("webhooks are genuine again", vendor=name_of(side))


_MEND = {
    "bad_signature": "PAGERDUTY_WEBHOOK_SECRET: it is not signed with this; unless somebody forges webhooks, set "
    "the subscription's secret: after three such answers PagerDuty switches a subscription off for a day",
    "bad_secret": "OPSGENIE_WEBHOOK_SECRET: its header X-Webhook-Secret is not this; unless somebody forges "
    "webhooks, set the same value in the integration's custom headers",
    "other_integration": "OPSGENIE_INTEGRATION_ID: its integrationId is not this; unless somebody forges "
    "webhooks, copy the id of the integration that sends them",
}


class _PagerDuty:
    """POST /pd-webhook."""

    def __init__(self, secrets: list[bytes], put: Callable[[Hint], None]) -> None:
        self._secrets = secrets
        self._deliveries = Deliveries()
        self._put = put

    def receive(self) -> str:
        body = request.get_data(cache=False)
        if not is_signed(body, request.headers.get("X-PagerDuty-Signature", ""), self._secrets):
            raise Refusal(401, "bad_signature")
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


class _Opsgenie:
    """POST /ops-webhook."""

    def __init__(self, integration: str, secret: str | None, put: Callable[[Hint], None]) -> None:
        self._integration = integration
        self._secret = secret
        self._put = put

    def receive(self) -> str:
        given = request.headers.get("X-Webhook-Secret", "")
        if self._secret is not None and not is_same(given, self._secret):
            raise Refusal(401, "bad_secret")
        body = parsed(request.get_data(cache=False))
        if not is_same(body.get("integrationId"), self._integration):
            raise Refusal(403, "other_integration")
        self._put(opsgenie_hint(body))
        return "accepted"


def _json(status: int, values: dict[str, object]) -> Response:
    return Response(json.dumps(values) + "\n", status, content_type="application/json")


def _guarded(response: Response) -> Response:
    for name, value in HEADERS:
        response.headers[name] = value
    return response


def _failed(error: Exception, refused: Callable[[str, int], None]) -> Response:
    """Every failure in fixed words: what was asked is not repeated, and what broke is for the log alone."""
    if not isinstance(error, HTTPException):
        log.error("a request failed unexpectedly: this is a defect, please report it", exc_info=error)
        return _json(500, {"error": "Internal Server Error"})
    refused(request.path, error.code or 500)
    answer = _json(error.code or 500, {"error": error.name})
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer
