"""Who is let in at the endpoints, what is counted of it, and what everybody else is told."""

import logging
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from reconciler.core.model import Side
from reconciler.errors import Misconfigured
from reconciler.observability.health import Health
from reconciler.reconcile.problems import Problem
from reconciler.web.app import HEADERS, LARGEST_BODY
from tests.support.door import FUZZ, Door
from tests.support.harness.listener import FAST_PATH, INTEGRATION, SHARED, opsgenie_body, pagerduty_body, signature

PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/pd-webhook", "/ops-webhook"})


def test_health_is_that_of_the_loop(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for alive, status in ((True, 200), (False, 503)):
        monkeypatch.setattr(door.metrics.health, "alive", lambda alive=alive: alive)
        answer = door.client.get("/healthz")
        assert (answer.status_code, answer.json) == (status, {"alive": alive})


def test_readiness_has_a_reason_until_both_sides_were_polled(door: Door) -> None:
    answer = door.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "the first poll of Opsgenie and PagerDuty is not over yet" in answer.json["reason"]
    assert answer.json["role"] == "none", "the database has not been used yet"
    door.metrics.led()
    for side in Side:
        door.metrics.health.polled(side, ok=True)
    answer = door.client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "role": "leader", "dead_actions": 0})


def polled(door: Door) -> Door:
    for side in Side:
        door.metrics.health.polled(side, ok=True)
    return door


def test_a_paused_process_is_ready_and_says_what_is_paused(door: Door) -> None:
    polled(door).metrics.health.pauses(["PagerDuty: paused by ops@host since 17:27 UTC: maintenance"])
    answer = door.client.get("/readyz")
    assert answer.json is not None
    assert (answer.status_code, answer.json["paused"]) == (200, ["PagerDuty: paused"])


PASSWORD = "open-sesame-of-the-page"
REFUSED = Problem(
    Side.PAGERDUTY, Misconfigured("PAGERDUTY_EMAIL: no user bot@example.com (Requester User Not Found)")
)
UNREADY: dict[str, tuple[Callable[[Health], None], str, str]] = {
    "database": (
        lambda health: health.failed("DATABASE_URL: the database cannot be reached: 10.0.0.7:5432 refused"),
        "DATABASE_URL: the database cannot be used; `reconciler status` says more",
        "10.0.0.7",
    ),
    "refused": (
        lambda health: health.problems([REFUSED]),
        "PAGERDUTY_EMAIL: what is configured does not work; `reconciler status` says more",
        "bot@example.com",
    ),
    "pages": (
        lambda health: health.pages(
            "nobody is paged for #17: PAGERDUTY_SERVICE_ID: Payments (PABC123) is disabled"
        ),
        "PAGERDUTY_SERVICE_ID: somebody is not paged; `reconciler status` says more",
        "Payments",
    ),
    "pages, for no reason of ours": (
        lambda health: health.pages("nobody is paged for #17: ACME_DB refuses"),
        "somebody is not paged; `reconciler status` says more",
        "ACME_DB",
    ),
}


@pytest.mark.parametrize("case", UNREADY)
def test_whoever_asks_learns_the_class_of_a_reason_and_its_setting_and_the_rest_with_the_password(
    case: str,
) -> None:
    make, told, hidden = UNREADY[case]
    door = polled(Door(STATUS_LISTEN="127.0.0.1:0", STATUS_PASSWORD=PASSWORD))
    door.metrics.health.pauses(["PagerDuty: paused by ops@host since 17:27 UTC: maintenance"])
    make(door.metrics.health)
    for auth in (None, ("any", "wrong"), ("any", "")):
        answer = door.client.get("/readyz", auth=auth)
        assert answer.json is not None
        assert (answer.status_code, answer.json["reason"]) == (503, told)
        assert not any(words in answer.text for words in (hidden, "ops@host"))
    whole = door.client.get("/readyz", auth=("any", PASSWORD))
    assert all(words in whole.text for words in (hidden, "ops@host"))


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/pd-webhook", "/nowhere"])
def test_every_answer_has_the_headers_that_keep_browsers_out(door: Door, path: str) -> None:
    assert set(HEADERS) <= set(door.client.get(path).headers.items())


def test_a_test_webhook_is_counted_and_asks_for_nothing(door: Door) -> None:
    assert door.pagerduty(b'{"event": {"event_type": "pagey.ping", "data": {"type": "ping"}}}') == 202
    assert (door.hints, door.outcomes()) == ([], {"ping": 1.0})


def test_what_is_refused_unread_is_counted(door: Door) -> None:
    answer = door.client.get("/ops-webhook")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert door.opsgenie(b" " * (LARGEST_BODY + 1)) == 413
    assert door.outcomes() == {"wrong_method": 1.0, "too_large": 1.0}


def test_a_wrong_secret_is_logged_once_with_its_fix_and_so_is_its_end(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for secret in ("x", "y", SHARED, SHARED):
        door.opsgenie(opsgenie_body("a-1"), secret)
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in said] == ["ERROR", "INFO"]
    assert "OPSGENIE_WEBHOOK_SECRET" in said[0][1]
    assert "webhooks are genuine again" in said[1][1]


def test_whoever_sends_genuine_and_forged_webhooks_in_turn_causes_a_few_log_lines_a_minute(
    door: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    now = 1000.0
    monkeypatch.setattr("reconciler.web.app.monotonic", lambda: now)

    def levels() -> list[str]:
        caplog.clear()
        for secret in ["x", SHARED] * 50:
            door.opsgenie(opsgenie_body("a-1"), secret)
        return [record.levelname for record in caplog.records]

    assert [levels(), levels()] == [["ERROR", "INFO"] * 3, []]
    now += 60
    assert levels() == ["ERROR", "INFO"] * 3


def test_a_delivery_is_taken_once(door: Door) -> None:
    body = pagerduty_body("PONE")
    assert [door.pagerduty(body, delivery=name) for name in ("one", "one", "two", "", "")] == [202] * 5
    assert len(door.hints) == 4
    assert door.outcomes() == {"accepted": 4.0, "repeated": 1.0}


def test_a_forged_delivery_does_not_use_up_the_id_of_the_genuine_one(door: Door) -> None:
    body = pagerduty_body("PONE")
    assert door.pagerduty(body, header="v1=" + "0" * 64, delivery="one") == 401
    assert door.pagerduty(body, delivery="one") == 202
    assert len(door.hints) == 1


@pytest.mark.parametrize("given_id", ["other", "", None, 7, [INTEGRATION], {"id": INTEGRATION}, "\ud800"])
def test_another_integration_is_refused(door: Door, given_id: object) -> None:
    assert door.opsgenie({"integrationId": given_id, "alert": {"alertId": "a-1"}}) == 403
    assert door.hints == []


def test_without_its_shared_secret_opsgenie_is_refused(door: Door) -> None:
    body = opsgenie_body("a-1")
    assert [door.opsgenie(body, secret) for secret in ("", "x", SHARED + "x", "ü")] == [401] * 4
    assert door.client.post("/ops-webhook", json=body).status_code == 401
    assert door.hints == []


def test_the_shared_secret_is_asked_for_only_where_there_is_one() -> None:
    door = Door(OPSGENIE_INTEGRATION_ID=INTEGRATION)
    assert door.opsgenie(opsgenie_body("a-1"), "") == 202


def test_an_endpoint_that_is_not_configured_is_not_there() -> None:
    door = Door()
    assert door.client.post("/pd-webhook", data=b"{}").status_code == 404
    assert door.client.post("/ops-webhook", data=b"{}").status_code == 404


@pytest.mark.parametrize(("size", "status"), [(LARGEST_BODY, 202), (LARGEST_BODY + 1, 413)])
def test_a_body_is_as_large_as_it_may_be(door: Door, size: int, status: int) -> None:
    body = pagerduty_body("PONE")
    body += b" " * (size - len(body))
    assert door.pagerduty(body) == status
    assert len(door.hints) == (status == 202)


def test_a_defect_is_told_to_the_log_and_not_to_the_client(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(**FAST_PATH)
    monkeypatch.setattr(door.metrics.health, "alive", lambda: 1 // 0)
    answer = door.client.get("/healthz")
    assert (answer.status_code, answer.json) == (500, {"error": "Internal Server Error"})
    assert "a request failed unexpectedly" in caplog.text


@FUZZ
@given(
    before=st.sampled_from(["/", "//", "/pd-webhook/", "/metrics"]),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=30),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"]),
)
@example(before="/", path="/healthz/../metrics", method="GET")
@example(before="/", path="metrics/", method="GET")
@example(before="/", path="METRICS", method="GET")
def test_whatever_path_is_asked_for_is_not_there(door: Door, before: str, path: str, method: str) -> None:
    asked = "/" + (before + path).lstrip("/")  # as Werkzeug does
    assume(asked not in PATHS)  # Hypothesis finds them in our own source
    answer = door.client.open("/", method=method, environ_overrides={"PATH_INFO": before + path})
    assert answer.status_code == 404
    assert answer.data in (b"", b'{"error": "Not Found"}\n')
    assert "Location" not in answer.headers


def test_a_delivery_is_checked_against_the_secrets_as_they_are_then(door: Door) -> None:
    body, act = pagerduty_body("P1"), opsgenie_body("a")
    signed = signature(body, "third")
    assert (door.pagerduty(body, signed), door.opsgenie(act, "third")) == (401, 401)
    new = {"pagerduty_webhook_secret": (SecretStr("third"),), "opsgenie_webhook_secret": SecretStr("third")}
    door.settings = door.settings.model_copy(update=new)
    assert (door.pagerduty(body, signed), door.opsgenie(act, "third")) == (202, 202)
    assert (door.pagerduty(body), door.opsgenie(act)) == (401, 401)


def test_jsms_webhooks_come_in_by_opsgenies_path_and_their_own_settings(caplog: pytest.LogCaptureFixture) -> None:
    jsm = {
        "ALERT_SOURCE": "jsm", "JSM_SITE_URL": "https://acme.example", "JSM_EMAIL": "robot@customer.example",
        "JSM_API_TOKEN": "jsm-token-1234", "JSM_WEBHOOK_INTEGRATION_ID": "jsm-1", "JSM_WEBHOOK_SECRET": SHARED,
    }  # fmt: skip
    door = Door(**jsm)
    body = {"integrationId": "jsm-1", "alert": {"alertId": "a-1"}}
    assert door.opsgenie(body) == 202
    assert door.opsgenie(body, "other") == 401
    assert door.opsgenie(body | {"integrationId": "og-1"}) == 403
    told = [record.getMessage() for record in caplog.records if "turned away" in record.getMessage()]
    assert ["JSM_WEBHOOK_SECRET" in told[0], "JSM_WEBHOOK_INTEGRATION_ID" in told[1]] == [True, True]
    assert Door(**jsm | {"JSM_WEBHOOK_INTEGRATION_ID": "", "JSM_WEBHOOK_SECRET": ""}).opsgenie(body) == 404
