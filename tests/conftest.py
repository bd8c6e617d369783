"""What every folder of tests may ask for, and what a run says at its end."""

import gc
import logging
import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext

import pytest

from tests.support.database import database
from tests.support.distribution import pytest_sessionstart, pytest_xdist_make_scheduler
from tests.support.launcher import COVERAGE
from tests.support.paths import ROOT
from tests.support.postgres import empty_postgres_url, postgres, postgres_url, pytest_addoption
from tests.support.summary import pytest_terminal_summary, tell

__all__ = [
    "database",
    "empty_postgres_url",
    "postgres",
    "postgres_url",
    "pytest_addoption",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_xdist_make_scheduler",
    "tell",
]

_LONG = ("simulation", "web", "docs", "stories", "processes", "system")
"""Folders whose files take longest."""
_UNMEASURED = ("simulation", "system", "contract")
"""Folders whose tests are traced for coverage in the commands that they start alone: tracing doubles the time."""


def pytest_configure(config: pytest.Config) -> None:
    """Tell the launcher of commands whether to measure them."""
    if config.getoption("cov_source", default=None):
        os.environ[COVERAGE] = str(config.rootpath / ".coverage")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, so that no worker begins one when the others have finished; some are not traced."""
    for item in items:
        if item.path.relative_to(ROOT / "tests").parts[0] in _UNMEASURED:
            item.add_marker(pytest.mark.unmeasured)
    items.sort(
        key=lambda item: next((n for n, name in enumerate(_LONG) if item.path.parent.name == name), len(_LONG))
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None]:
    """Trace imports in one process alone, as all import the same; look for no garbage where there is none yet."""
    worker = getattr(session.config, "workerinput", {}).get("workerid", "")
    gc.disable()
    with nullcontext() if worker in ("", "gw0") else _untraced():
        yield
    gc.freeze()  # what is there already stays until the end
    gc.enable()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None]:
    """Trace nothing in tests marked `unmeasured`: pytest-cov's own marker fails in xdist's workers."""
    with nullcontext() if item.get_closest_marker("unmeasured") is None else _untraced():
        yield


@contextmanager
def _untraced() -> Iterator[None]:
    tracing, tracing_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(tracing)
    threading.settrace(tracing_threads)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A test that sets logging up leaves it as it was: others look at what is logged."""
    loggers = [logging.getLogger(name) for name in ("", "reconciler", "apscheduler")]
    handlers, levels = list(loggers[0].handlers), [logger.level for logger in loggers]
    yield
    for added in [handler for handler in loggers[0].handlers if handler not in handlers]:
        loggers[0].removeHandler(added)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
