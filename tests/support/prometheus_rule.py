"""The Prometheus operator's PrometheusRule, made of examples/prometheus/rules.yaml: `make examples` writes it."""

from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

RULES = ROOT / "examples" / "prometheus" / "rules.yaml"
FILE = ROOT / "examples" / "kubernetes" / "components" / "prometheus-operator" / "prometheusrule.yaml"
HEADER = "# Generated from examples/prometheus/rules.yaml by `make examples`: change that file instead.\n"


def resource(rules: str) -> dict[str, Any]:
    """The resource with the groups of a file of rules."""
    name = "reconciler"
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": name, "labels": {"app.kubernetes.io/name": name}},
        "spec": yaml.safe_load(rules),
    }


def rendered(rules: str) -> str:
    """The file's whole text."""
    text: str = yaml.safe_dump(resource(rules), sort_keys=False, width=110, allow_unicode=True)
    return HEADER + text


def write(file: Path = FILE) -> None:
    """Write the file anew."""
    file.write_text(rendered(RULES.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
