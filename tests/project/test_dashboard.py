"""The Grafana dashboard asks only for metrics that exist, and says nothing good of a process that is dead."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.observability.metrics_table import METRICS, PROCESS_METRICS, ROUTE
from tests.support.counting import MetricsBench, count_everything
from tests.support.dashboard import FILE, rendered

DASHBOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
NAME = re.compile(r"\b(?:reconciler|process)_[a-z_]+")
PROMTOOL = shutil.which("promtool")
VARIABLES = {"$__rate_interval": "5m", "$job": "here"}
"""What Grafana puts in place of its variables."""


def queries(*kinds: str) -> list[tuple[str, str]]:
    """The panels' titles and queries as Prometheus gets them."""
    found = []
    for panel in PANELS:
        for target in panel["targets"]:
            text = target["expr"]
            for name, value in VARIABLES.items():
                text = text.replace(name, value)
            found += [(panel["title"], text)] if not kinds or panel["type"] in kinds else []
    return found


def test_the_file_is_what_its_table_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == rendered(), "run `make examples`"


def test_every_metric_and_label_named_exists() -> None:
    counted = MetricsBench()
    count_everything(counted)
    exposed = set(re.findall(r"^([a-z_]+)", counted.metrics.text().decode(), re.MULTILINE))
    exposed |= {row.name for row in PROCESS_METRICS}
    labels = {row.name: {*row.labels, ROUTE, "job", "instance", "le"} for row in (*METRICS, *PROCESS_METRICS)}
    for title, query in queries():
        names = NAME.findall(query)
        assert names, title
        assert not set(names) - exposed, title
        own = labels.get(names[0].removesuffix("_bucket"), {"job"})
        grouped = {label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ")}
        assert grouped | set(re.findall(r"(\w+)=~?\"", query)) <= own, title
    for panel in PANELS:
        for target in panel["targets"]:
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"])) - {"instance"}
            assert all(re.search(rf"by \([^)]*\b{label}\b", target["expr"]) for label in shown), panel["title"]


def test_every_query_chooses_the_job_and_every_panel_the_source() -> None:
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert target["expr"].count('job="$job"') == len(NAME.findall(target["expr"]))
            assert target["datasource"]["uid"] == "${datasource}"
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "job"]


def test_no_query_depends_on_the_product_that_alerts_come_from() -> None:
    assert [title for title, query in queries() if re.search("opsgenie|jsm", query)] == []


def test_the_panels_lie_side_by_side_and_each_says_what_it_is() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert all(panel["description"].endswith(".") for panel in PANELS)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_a_word_in_place_of_a_number_has_the_colour_of_what_it_says() -> None:
    found = {
        panel["title"]: {
            value: (told["text"], told["color"])
            for mapping in panel["fieldConfig"]["defaults"]["mappings"]
            for value, told in mapping["options"].items()
        }
        for panel in PANELS
        if panel["fieldConfig"]["defaults"]["mappings"]
    }
    assert found == {
        "Leader": {"0": ("nobody", "red"), "1": ("leads", "green")},
        "Paused": {"0": ("no", "green"), "1": ("paused", "red")},
    }


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH: it comes with Prometheus")
def test_promtool_reads_every_query_and_the_dead_show_nothing(tmp_path: Path) -> None:
    alive = {"reconciler_build_info": "1x5"}
    dead = [{"expr": query, "eval_time": "5m", "exp_samples": []} for _, query in queries()]
    zero = [
        {"expr": query, "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": 0}]}
        for title, query in queries("stat")
        if title in {"Dead", "In trouble", "Paused"}
    ]
    assert len(zero) == 3
    tests = [
        {"interval": "1m", "promql_expr_test": dead},
        {
            "interval": "1m",
            "input_series": [
                {"series": f'{name}{{job="here"}}', "values": value} for name, value in alive.items()
            ],
            "promql_expr_test": zero,
        },
    ]
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"tests": tests}), encoding="utf-8")
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
