"""The end of a test run's output: figures that tests reported, also in xdist's workers, and all skipped tests."""

from collections import Counter
from collections.abc import Callable

import pytest

_NAME = "figure"


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Report a figure at the end of the test run's output."""
    return lambda line: record_property(_NAME, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, and every skipped test with its reason, which a row of dots would hide."""
    reports = [report for category in terminalreporter.stats.values() for report in category]
    ended = [report for report in reports if getattr(report, "when", "") == "teardown"]
    figures = [str(value) for report in ended for name, value in report.user_properties if name == _NAME]
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    _section(terminalreporter, "figures", figures)
    _section(terminalreporter, "NOT TESTED HERE", [f"{count} of: {why}" for why, count in reasons.items()])


def _section(terminalreporter: pytest.TerminalReporter, title: str, lines: list[str]) -> None:
    if lines:
        terminalreporter.section(title, red="NOT" in title, bold=True)
    for line in lines:
        terminalreporter.write_line(line)


def _reason(report: pytest.TestReport) -> str:
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return why.removeprefix("Skipped: ")
