"""Prometheus' own checker accepts the exposition of several routes."""

import shutil
import subprocess

import pytest

from reconciler.observability.route_metrics import RouteMetrics
from tests.support.counting import MetricsBench, count_everything


def test_promtool_accepts_the_exposition_of_several_routes() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NOT CHECKED: promtool is not on the PATH; Debian's package prometheus brings it")
    benches = {name: MetricsBench() for name in ("shop", "search", "idle")}
    for name in ("shop", "search"):
        count_everything(benches[name])
    text = RouteMetrics(
        lambda: {name: each.metrics for name, each in benches.items()}, lambda: 1, lambda: 2
    ).text()
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
