"""The end of several routes: side by side, and none keeps another from it."""

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.observability import defects
from reconciler.runtime.endings import STOP_GRACE, end


class Ending:
    """A route's jobs that note how they end."""

    def __init__(self, name: str, noted: list[str], error: Exception | None = None) -> None:
        self.name = name
        self._noted = noted
        self._error = error

    def cease(self) -> None:
        self._noted.append(f"{self.name} ceases")

    def drain(self) -> None:
        if self._error is not None:
            raise self._error

    def leave(self, _pool: object, within: float) -> None:
        assert within == STOP_GRACE
        self._noted.append(f"{self.name} leaves")


def test_all_cease_before_one_is_waited_for_and_a_defect_of_one_ends_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(defects, "_LOGGED", set())
    noted: list[str] = []
    routes: Any = [Ending("a", noted, ValueError("odd")), Ending("b", noted)]
    pool: Any = SimpleNamespace()
    ended = end(routes, pool)
    assert noted == ["a ceases", "b ceases"]
    assert sorted(name for names in ended for name in names) == ["a", "b"]
    assert noted[2:] == ["b leaves"]
    assert "route a" in caplog.text
