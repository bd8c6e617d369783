"""The whole examination over the sandbox: each trouble is found by its own check, and nothing is written."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.operations.doctor import examine
from reconciler.operations.findings import Verdict
from tests.support.examined import Patient

EXPECTED = (
    "variables", "network", "heartbeat", "status page", "database", "leader", "database writable",
    "opsgenie key", "opsgenie region", "opsgenie query", "opsgenie reads", "opsgenie writes", "opsgenie pages",
    "opsgenie clock",
    "pagerduty key", "pagerduty region", "pagerduty owner", "pagerduty reads", "pagerduty writes",
    "pagerduty user", "pagerduty service", "pagerduty maintenance", "pagerduty on call",
    "pagerduty user's duties", "another reconciler", "pagerduty clock",
)  # fmt: skip


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_good_set_up_has_nothing_bad_and_is_only_read(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.raise_alert()
    found = patient.findings()
    assert tuple(found) == EXPECTED
    assert {name for name, each in found.items() if each.verdict is Verdict.BAD} == set()
    assert {name for name, each in found.items() if each.verdict is Verdict.WARNING} == {
        "heartbeat", "database", "opsgenie writes", "pagerduty writes",
    }  # fmt: skip
    assert all(asked.startswith("GET ") for asked in patient.asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("trouble", "check", "says"),
    [
        ({"opsgenie_key": "another"}, "opsgenie key", "Could not authenticate"),
        ({"pagerduty_key": "another"}, "pagerduty key", "Authentication failed"),
        ({"user_token": "PJANE01"}, "pagerduty owner", "user token of Jane Doe"),
        ({"user_gone": True}, "pagerduty user", "PAGERDUTY_EMAIL: PagerDuty has no user"),
        ({"bot_role": "observer"}, "pagerduty user", "(observer) may not write"),
        ({"service_status": "gone"}, "pagerduty service", "PagerDuty has no service"),
        ({"service_status": "disabled"}, "pagerduty service", "is disabled"),
        ({"service_status": "maintenance"}, "pagerduty service", "is in a maintenance window"),
        ({"nobody_on_call": True}, "pagerduty on call", "nobody is on call"),
        ({"bot_on_call": True}, "pagerduty on call", "are acknowledged at once"),
        ({"bot_on_call": True}, "pagerduty user's duties", "Reconciler Bot is on escalation policy PPOL001"),
    ],
)
def test_a_trouble_is_found_and_its_mend_is_told(
    tmp_path: Path, trouble: dict[str, Any], check: str, says: str
) -> None:
    patient = Patient(tmp_path)
    patient.set(**trouble)
    finding = patient.findings()[check]
    assert finding.verdict is Verdict.BAD
    assert says in finding.found
    assert finding.fix


def test_a_wrong_query_is_named_once_and_costs_no_other_check(tmp_path: Path) -> None:
    found = Patient(tmp_path, opsgenie_query="((").findings()
    bad = {name for name, each in found.items() if each.verdict is Verdict.BAD}
    assert bad == {"opsgenie query"}
    assert "OPSGENIE_QUERY" in found["opsgenie query"].fix
    assert found["opsgenie pages"].found == "not checked: the query is wrong"


def test_a_refused_key_ends_the_checks_of_its_own_vendor_alone(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.set(opsgenie_key="another")
    found = patient.findings()
    assert found["opsgenie query"].found == "not checked: Opsgenie refuses the key"
    assert found["pagerduty service"].verdict is Verdict.GOOD


def test_a_database_out_of_reach_fails_its_own_checks_alone(tmp_path: Path) -> None:
    found = Patient(tmp_path, database_url=SecretStr("sqlite:////nowhere/r.db")).findings()
    assert {name for name, each in found.items() if each.verdict is Verdict.BAD} == {"database"}
    assert found["opsgenie pages"].found == "not checked: the database cannot be read"
    assert found["pagerduty reads"].verdict is Verdict.GOOD


def test_a_check_that_hangs_delays_the_report_only_for_its_time(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    hangs = threading.Event()

    def count(*, is_open: bool) -> int:
        hangs.wait()
        return int(is_open)

    patient.opsgenie.count = count  # type: ignore[method-assign]
    counts: list[tuple[int, int]] = []
    found = {each.check: each for each in examine(patient.examined(), lambda *seen: counts.append(seen), 0.5)}
    hangs.set()
    assert tuple(found) == EXPECTED
    assert found["opsgenie key"].verdict is Verdict.GOOD
    for name in ("opsgenie query", "opsgenie clock"):
        assert (found[name].verdict, found[name].found) == (Verdict.BAD, "no answer in the time for all checks")
    assert found["pagerduty clock"].verdict is Verdict.GOOD
    assert counts[0] == (1, len(EXPECTED))
