"""The Kubernetes examples, rendered."""

import pytest

from tests.support.manifests import KUBERNETES, OVERLAYS, Document, Render, combined, needs_kubectl, rendered


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders one of the kustomizations, with components added."""
    needs_kubectl()

    def rendering(overlay: str, *components: str) -> tuple[Document, ...]:
        if not components:
            return rendered(KUBERNETES / overlay)
        return combined(tmp_path_factory.mktemp("own"), overlay, *components)

    return rendering


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest, render: Render) -> tuple[Document, ...]:
    """Each kustomization, rendered."""
    return render(request.param)
