"""An unexpected error becomes one line that names its place, and is logged in full once."""

import pytest

from reconciler.core.text import shortened
from reconciler.observability import defects
from reconciler.observability.defects import defect, place_of


def caught(given: object) -> Exception:
    """What our own code raises for this."""
    try:
        shortened(given)  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError


def test_the_place_is_the_innermost_line_of_our_own() -> None:
    assert place_of(caught(None)).startswith("text, line ")
    assert place_of(ValueError("never raised")) == "an unknown place"


def test_each_kind_of_defect_is_logged_in_full_once_and_without_its_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defects, "_LOGGED", set())
    error = caught(None)
    error.args = ("a secret",)
    found = [str(defect(error, where)) for where in ("alert a-1", "alert a-1", "alert a-2")]
    assert [line.endswith("this is a defect, please report it") for line in found] == [True] * 3
    assert "a secret" not in "".join(found)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_the_memory_of_logged_defects_is_bounded(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defects, "_LOGGED", set())
    for number in range(defects._KINDS + 5):
        defect(ValueError(), f"alert {number}")
    assert len(caplog.records) == len(defects._LOGGED) == defects._KINDS
