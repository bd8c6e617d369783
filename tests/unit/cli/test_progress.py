"""Progress is shown on a terminal alone, while lists are read and while alerts are looked at, and removed."""

import pytest

from reconciler.cli.progress import Progress


def test_requests_for_lists_are_counted_until_the_first_alert(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    for _ in range(10):
        progress.requested(None)
    progress.looked_at(20, 1_180)
    for _ in range(5):
        progress.requested(None)
    progress.looked_at(21, 1_179)
    progress.looked_at(1_200, 0)
    shown = [each for each in capsys.readouterr().err.split("\r") if each]
    assert shown == [
        "reading lists: 1 answer so far\033[K",
        "reading lists: 5 answers so far\033[K",
        "reading lists: 10 answers so far\033[K",
        "20 of 1,200 alerts looked at\033[K",
        "\033[K",
    ]


def test_nothing_is_shown_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.requested(None)
    progress.looked_at(20, 20)
    progress.looked_at(40, 0)
    assert capsys.readouterr() == ("", "")
