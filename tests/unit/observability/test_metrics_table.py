"""The table of metrics is what Prometheus expects."""

import re

from reconciler.observability.metrics_table import METRICS


def test_the_table_follows_prometheus_conventions() -> None:
    names = [row.name for row in METRICS]
    assert len(set(names)) == len(names)
    for row in METRICS:
        assert re.fullmatch(r"reconciler_[a-z_]+", row.name)
        assert row.help.endswith(".")
        assert row.name.endswith("_total") == (row.kind == "counter")
        assert bool(row.buckets) == (row.kind == "histogram")
        assert row.kind != "histogram" or row.name.endswith("_seconds")
        assert list(row.buckets) == sorted(set(row.buckets))
        assert not {"le", "quantile", "id", "alert", "incident", "user", "path"} & set(row.labels)


def test_values_that_exist_from_the_start_have_one_for_each_label() -> None:
    for row in METRICS:
        assert all(len(values) == len(row.labels) for values in row.known), row.name
        assert len({*row.known}) == len(row.known), row.name
