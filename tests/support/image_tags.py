"""The image's tag wherever examples and docs name one: this version. `make examples` writes it."""

import re

from reconciler import __version__
from tests.support.paths import ROOT

FILES = (
    "docs/deploy/kubernetes.md",
    "examples/compose/compose.yaml",
    "examples/kubernetes/base/deployment.yaml",
    "examples/kubernetes/components/migrate/job.yaml",
    "examples/kubernetes/overlays/cronjob/cronjob.yaml",
    "examples/kubernetes/overlays/production/kustomization.yaml",
)
TAG = re.compile(r"(?:(?<=\breconciler:)|(?<=\bnewTag: ))(\d+\.\d+[\w.]*)")


def write(version: str = __version__) -> None:
    """Write the version into every file."""
    for name in FILES:
        file = ROOT / name
        file.write_text(TAG.sub(version, file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
