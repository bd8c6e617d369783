"""docs/metrics.md shows the metrics, labels and rules that there are."""

from reconciler.observability.metrics_table import METRICS, PROCESS_METRICS
from tests.support.counting import MetricsBench, count_everything
from tests.support.docs.metrics_page import OPEN, PAGE, TABLES, generated, values_of


def test_the_page_is_what_make_docs_generate_writes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert generated(text) == text, "run `make docs-generate`"
    assert all(f"<!-- generated: {word} -->" in text for word in TABLES)


def test_every_label_has_its_values_listed_or_described() -> None:
    for row in (*METRICS, *PROCESS_METRICS):
        for label in row.labels:
            assert bool(values_of(row, label)) != (label in OPEN), f"{row.name} {label}"


def test_what_is_counted_has_listed_values_alone() -> None:
    counted = MetricsBench()
    count_everything(counted)
    rows = {row.name.removesuffix("_total"): row for row in METRICS}
    for family in counted.metrics._registry.collect():
        row = rows.get(family.name)
        if row is not None:
            listed = {label: values_of(row, label) for label in row.labels if label not in OPEN}
            given = ((label, sample.labels[label]) for sample in family.samples for label in listed)
            assert [pair for pair in given if pair[1] not in listed[pair[0]]] == [], family.name
