"""Real and official answers of all three dialects, malformed in one field each; skipped without a copy."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import responses

from tests.support.paths import ROOT
from tests.support.wire.mutations import FEW
from tests.support.wire.reading_checks import check_rows, check_single
from tests.support.wire.readings import ROWS, SINGLES

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

SAMPLES = Path(os.environ.get("RECONCILER_SAMPLE_DIR") or ROOT.parent / "shared" / "samples")
LISTS: list[tuple[str, str]] = [
    ("opsgenie/docs.alerts.list.json", "opsgenie: alerts by change"),
    ("opsgenie/xsoar.alerts.list.page-with-next.json", "opsgenie: alerts by change"),
    ("opsgenie/xsoar.alerts.list.last-page-no-next.json", "opsgenie: alerts by change"),
    ("opsgenie/docs.alert.logs.json", "opsgenie: log"),
    ("opsgenie/xsoar.alert.logs-2023.json", "opsgenie: log"),
    ("opsgenie/jsm/spec-example.list-alerts.json", "jsm: alerts by creation"),
    ("opsgenie/jsm/spec-example.alert-logs.json", "jsm: log"),
    ("opsgenie/jsm/testcode.log-texts.json", "jsm: log"),
    ("opsgenie/jsm/spec-example.alert-note.json", "jsm: notes"),
    ("pagerduty/openapi-examples/listIncidentNotes.200.json", "pagerduty: notes"),
    ("pagerduty/openapi-examples/listLogEntries.200.json", "pagerduty: log of the account"),
    ("pagerduty/openapi-examples/listIncidentLogEntries.200.json", "pagerduty: log of an incident"),
    ("pagerduty/openapi-examples/listIncidentAlerts.200.json", "pagerduty: keys of an incident's alerts"),
    ("pagerduty/docs-v2-log-entries/incident.resolve.resolve_log_entry.json", "pagerduty: log of an incident"),
]
OBJECTS: list[tuple[str, str]] = [
    ("opsgenie/docs.alert.get.json", "opsgenie: an alert"),
    ("opsgenie/xsoar.alert.get.json", "opsgenie: an alert"),
    ("opsgenie/xsoar.request-status.acknowledge.json", "opsgenie: a receipt"),
    ("opsgenie/docs.request-status.ack-failure-alert-does-not-exist.json", "opsgenie: a receipt"),
    ("opsgenie/docs.alerts.count.json", "opsgenie: the count"),
    ("opsgenie/jsm/spec-example.request-status.json", "jsm: a receipt"),
    ("pagerduty/openapi-examples/createIncident.201.json", "pagerduty: an incident"),
    ("pagerduty/incidents.xsoar.json", "pagerduty: an incident"),
    ("pagerduty/openapi-examples/getService.200.json", "pagerduty: the service"),
    ("pagerduty/openapi-examples/getCurrentUser.200.json", "pagerduty: whose key it is"),
    ("pagerduty/openapi-examples/getEscalationPolicy.200.json", "pagerduty: the policy"),
]


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def sample(name: str) -> Any:
    path = SAMPLES / name
    if not path.is_file():
        pytest.skip(f"NOT CHECKED: no {name} beside this checkout; RECONCILER_SAMPLE_DIR names another place")
    return json.loads(path.read_text())


@pytest.mark.parametrize(("name", "reading"), LISTS)
def test_a_malformed_row_of_a_real_answer_hides_no_other(
    wire: responses.RequestsMock, name: str, reading: str
) -> None:
    document, rows = sample(name), next(rows for rows in ROWS if rows.name == reading)
    for row in document.get(rows.array, [document]):
        check_rows(wire, replace(rows, sample=row), FEW)


@pytest.mark.parametrize(("name", "reading"), OBJECTS)
def test_a_malformed_object_of_a_real_answer_is_read_to_what_it_says(
    wire: responses.RequestsMock, name: str, reading: str
) -> None:
    document, single = sample(name), next(single for single in SINGLES if single.name == reading)
    if "incidents" in document:  # the capture's ids were taken out
        document = {"incident": document["incidents"][0] | {"id": "P"}}
    check_single(wire, replace(single, document=document), FEW)
