"""Real answers of the vendors are read to the right values.

Skipped where the samples are not at hand: they are other people's and may not be shipped. `test_shapes.py` has
answers of our own in the same shapes. Samples of webhooks are read in `tests/unit/web/test_webhooks.py`.
"""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from reconciler.vendors.ports import KeyOwner, RequestStatus
from tests.support.contract import samples_of_alerts, samples_of_pagerduty
from tests.support.contract.sampled import Given, Read, Refusal, outcome
from tests.support.contract.samples_of_alerts import OF_JSM, OF_OPSGENIE, status
from tests.support.contract.samples_of_pagerduty import OF_PAGERDUTY
from tests.support.paths import ROOT

SAMPLES = ROOT.parent / "shared" / "samples"
REFUSALS: list[Refusal] = [*samples_of_alerts.REFUSALS, *samples_of_pagerduty.REFUSALS]
ACCOUNT_KEY = "400.error_is_string.users_me_account_token"
NOT_READ = {
    "opsgenie/docs.alert.recipients": "the product does not ask who was notified",
    "pagerduty/openapi-examples/*.request": "requests, which test_described.py checks by the description itself",
    "pagerduty/openapi-examples/createIncidentSnooze.201": "the product does not snooze",
    "pagerduty/openapi-examples/createIncidentStatusUpdate.200": "the product publishes no status updates",
    "pagerduty/openapi-examples/createUser.201": "the product creates no user",
    "pagerduty/openapi-examples/*WebhookSubscription*": "webhooks are set up by hand",
    "pagerduty/openapi-examples/getLogEntry.200": "log entries are listed",
    "pagerduty/openapi-examples/list*": "lists that the product does not read, such as abilities and priorities",
    "pagerduty/openapi-examples/mergeIncidents.200": "the product merges no incidents",
    "pagerduty/openapi-examples/update*": "the product changes incidents alone, one by one",
    "pagerduty/openapi-examples/updateIncidents.request.incidents": "a request",
}
"""Samples that no reader of the product is given, by patterns."""


def test_every_sample_is_read_or_listed() -> None:
    check_samples()
    roots = [SAMPLES / "opsgenie", SAMPLES / "pagerduty"]
    there = {str(file.relative_to(SAMPLES).with_suffix("")) for root in roots for file in root.rglob("*.json")}
    read = {f"opsgenie/{row[0]}" for row in OF_OPSGENIE} | {f"opsgenie/jsm/{row[0]}" for row in OF_JSM}
    read |= {f"pagerduty/{row[0]}" for row in OF_PAGERDUTY} | {row[0].partition("#")[0] for row in REFUSALS}
    read |= {f"pagerduty/errors/{ACCOUNT_KEY}"}
    assert [name for name in sorted(there - read) if not any(fnmatchcase(name, known) for known in NOT_READ)] == []
    assert [known for known in NOT_READ if not any(fnmatchcase(name, known) for name in there - read)] == []


@pytest.mark.parametrize(("name", "read", "expected"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_refusal_is_understood(name: str, read: Read, expected: tuple[str, str, float | None]) -> None:
    kind, words, after = outcome(read, refusal(name))
    assert (kind, after) == (expected[0], expected[2])
    assert expected[1] in words


def test_refusals_that_are_answers() -> None:
    pending = outcome(status, refusal("opsgenie/errors#3"))
    assert pending == RequestStatus(None, "request not processed")
    owner = outcome(lambda r: r.pagerduty.key_owner(), refusal(f"pagerduty/errors/{ACCOUNT_KEY}"))
    assert owner == KeyOwner("account")


def refusal(name: str) -> Given:
    """A sample of a refusal; `#` is followed by its place in a list of them."""
    path, _, number = name.partition("#")
    found = loaded(path)
    case = found[int(number)] if number else found
    return Given(case["body"], case["status"], case.get("headers", {}))


def body_of(name: str, found: Any) -> Any:
    """The answer that holds a single incident or log entry."""
    if name == "incidents.xsoar":
        return {"incident": found["incidents"][0] | {"id": "P1578"}}  # its ids were blanked
    if name.startswith("docs-v2-log-entries"):
        return {"incident": found} if name.endswith(".incident") else {"log_entries": [found]}
    return found


def check_samples() -> None:
    if not SAMPLES.is_dir():
        pytest.skip("no real answers of the vendors are beside this checkout, in ../shared/samples")


def loaded(path: str) -> Any:
    check_samples()
    return json.loads((SAMPLES / f"{path}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "read", "expected"), OF_OPSGENIE, ids=[row[0] for row in OF_OPSGENIE])
def test_an_answer_of_opsgenie_is_read(name: str, read: Read, expected: Any) -> None:
    assert outcome(read, Given(loaded(f"opsgenie/{name}"))) == expected


@pytest.mark.parametrize(("name", "read", "expected"), OF_JSM, ids=[row[0] for row in OF_JSM])
def test_an_answer_of_jsm_is_read(name: str, read: Read, expected: Any) -> None:
    assert outcome(read, Given(loaded(f"opsgenie/jsm/{name}"))) == expected


@pytest.mark.parametrize(("name", "read", "expected"), OF_PAGERDUTY, ids=[row[0] for row in OF_PAGERDUTY])
def test_an_answer_of_pagerduty_is_read(name: str, read: Read, expected: Any) -> None:
    assert outcome(read, Given(body_of(name, loaded(f"pagerduty/{name}")))) == expected
