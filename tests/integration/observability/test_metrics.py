"""Prometheus' own tool accepts what is exposed."""

import shutil
import subprocess

import pytest

from tests.support.counting import MetricsBench, count_everything


def test_promtool_accepts_the_exposition() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NOT CHECKED: promtool is not on the PATH; Debian's package prometheus brings it")
    counted = MetricsBench()
    count_everything(counted)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=counted.metrics.text(), capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
