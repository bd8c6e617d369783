"""The table of knobs is complete."""

from typing import get_type_hints

from reconciler.sandbox.settings import SandboxSettings


def test_each_knob_has_a_meaning() -> None:
    rows = get_type_hints(SandboxSettings, include_extras=True)
    assert set(rows) == set(SandboxSettings().as_json())
    assert all(isinstance(row.__metadata__[0], str) and row.__metadata__[0] for row in rows.values())
