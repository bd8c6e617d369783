"""The Kubernetes examples, rendered."""

import os

import pytest
import yaml

from tests.support.manifests import KUBERNETES, OVERLAYS, Document, Render, needs_kubectl, rendered


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders one of the kustomizations, with components added."""
    needs_kubectl()

    def rendering(overlay: str, *components: str) -> tuple[Document, ...]:
        if not components:
            return rendered(KUBERNETES / overlay)
        folder = tmp_path_factory.mktemp("own")
        own = {
            "resources": [os.path.relpath(KUBERNETES / overlay, folder)],
            "components": [os.path.relpath(KUBERNETES / component, folder) for component in components],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
        return rendered(folder)

    return rendering


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest, render: Render) -> tuple[Document, ...]:
    """Each kustomization, rendered."""
    return render(request.param)
