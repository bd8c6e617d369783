"""`make audit` passes only if every package was audited: without data it fails and says so."""

import json

import pytest

from tools import audit

GOOD = {"name": "flask", "version": "3.1.3", "vulns": []}
FAULTY = {"name": "urllib3", "version": "2.2.0", "vulns": [{"id": "CVE-2025-66418", "fix_versions": ["2.6.0"]}]}
UNFIXED = {"name": "rich", "version": "14.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": []}]}
UNKNOWN = {"name": "click", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([GOOD], None),
        ([GOOD, FAULTY, FAULTY], "urllib3 2.2.0: CVE-2025-66418, fixed in 2.6.0"),
        ([UNFIXED], "rich 14.0: CVE-2026-1, fixed in no version"),
        (
            [GOOD, UNKNOWN],
            f"Packages not audited, for want of data: 1 (click). {audit.ELSEWHERE}",
        ),
        (
            [UNKNOWN | {"name": name} for name in "abcdefg"],
            f"Packages not audited, for want of data: 7 (a, b, c, d, e, …). {audit.ELSEWHERE}",
        ),
    ],
)
def test_an_audit_says_what_is_wrong(rows: list[dict[str, object]], said: str | None) -> None:
    assert audit.verdict(json.dumps({"dependencies": rows, "fixes": []}), "") == said


def test_an_audit_without_a_report_fails_and_says_why() -> None:
    said = audit.verdict("", "Traceback\nConnectionError: no route\n")
    assert said == f"Not audited: pip-audit reports nothing (ConnectionError: no route). {audit.ELSEWHERE}"


def test_every_lock_is_audited() -> None:
    ours = {"bench", "build", "dev", "docs", "release", "runtime", "test"}
    assert {lock.stem for lock in audit.LOCKS} == ours | {"witness-opsgenie", "witness-pagerduty"}
