"""Several routes in one exposition: each sample bears its route, what is of the process has none."""

import re
from collections import Counter
from collections.abc import Mapping

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.observability.metrics import Metrics
from reconciler.observability.metrics_table import METRICS, PROCESS_METRICS
from reconciler.observability.route_metrics import RouteMetrics
from tests.support.counting import MetricsBench, count_everything


@pytest.fixture
def benches() -> dict[str, MetricsBench]:
    found = {name: MetricsBench() for name in ("shop", "search")}
    for bench in found.values():
        count_everything(bench)
    return found


def of(benches: Mapping[str, MetricsBench], removed: int = 0, pods: int | None = None) -> str:
    metrics: dict[str, Metrics] = {name: bench.metrics for name, bench in benches.items()}
    process = MetricsBench()
    count_everything(process)
    return RouteMetrics(lambda: metrics, lambda: removed, lambda: pods, process.metrics).text().decode()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.startswith("process_")
    }


def test_the_samples_of_each_route_are_its_own_with_the_route_as_a_label(benches: dict[str, MetricsBench]) -> None:
    benches["search"].metrics.paging(3, 1, "3 pages wait")
    found = samples(of(benches))
    for name, bench in benches.items():
        alone = samples(generate_latest(bench.metrics._registry).decode())
        for (sample, labels), value in alone.items():
            own = labels if sample == "reconciler_build_info" else labels | {("route", name)}
            if not sample.startswith("reconciler_webhooks"):
                assert found[sample, own] == value
    assert found["reconciler_pages_waiting", frozenset({("route", "search")})] == 3
    assert found["reconciler_pages_waiting", frozenset({("route", "shop")})] == 0


def test_each_family_is_described_once_and_its_samples_follow_each_other(benches: dict[str, MetricsBench]) -> None:
    text = of(benches, pods=2)
    for word in ("HELP", "TYPE"):
        names = Counter(re.findall(rf"^# {word} (\S+)", text, re.MULTILINE))
        assert set(names.values()) == {1}
        assert {row.name for row in (*METRICS, *PROCESS_METRICS)} <= set(names)
    current = ""
    for line in text.splitlines():
        current = line.split()[2] if line.startswith("# HELP") else current
        assert line.startswith(("#", current)), line


def test_what_is_of_the_process_is_there_once_and_without_a_route(benches: dict[str, MetricsBench]) -> None:
    lines = of(benches).splitlines()
    for name in ("process_start_time_seconds", "reconciler_build_info"):
        (line,) = [each for each in lines if each.startswith(name)]
        assert "route=" not in line


def test_webhooks_are_counted_once_of_the_process_and_of_no_route(benches: dict[str, MetricsBench]) -> None:
    lines = [line for line in of(benches).splitlines() if line.startswith("reconciler_webhooks_total{")]
    assert lines
    assert not any("route=" in line for line in lines)


def test_a_family_that_only_a_later_route_has_is_there_too(benches: dict[str, MetricsBench]) -> None:
    found = samples(of({"idle": MetricsBench()} | benches))
    assert ("reconciler_lock_held", frozenset({("route", "shop")})) in found
    assert ("reconciler_lock_held", frozenset({("route", "idle")})) not in found


def test_routes_are_counted_by_state_and_pods_where_they_are_known(benches: dict[str, MetricsBench]) -> None:
    benches["search"].metrics.stood_by()
    found = samples(of(benches | {"idle": MetricsBench()}, removed=4))
    states = {
        state: found["reconciler_routes", frozenset({("state", state)})] for state in ("led", "standby", "removed")
    }
    assert states == {"led": 1, "standby": 2, "removed": 4}
    assert ("reconciler_pods", frozenset()) not in found
    assert samples(of(benches, pods=3))["reconciler_pods", frozenset()] == 3


def test_a_route_that_is_added_or_taken_away_counts_from_the_next_scrape(benches: dict[str, MetricsBench]) -> None:
    metrics: dict[str, Metrics] = {}
    exposed = RouteMetrics(lambda: metrics)
    assert 'route="shop"' not in exposed.text().decode()
    metrics["shop"] = benches["shop"].metrics
    assert 'route="shop"' in exposed.text().decode()
    del metrics["shop"]
    assert 'route="shop"' not in exposed.text().decode()
