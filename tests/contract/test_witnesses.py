"""The result of each step of a witness. `make witnesses` runs the witnesses themselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.witnesses.steps import Step, tell


def _refused() -> Any:
    raise ValueError("404:\nnothing   there")


@pytest.mark.parametrize(
    ("run", "expected", "refused", "told"),
    [
        (lambda: 7, "7", "", ("done", "7", True)),
        (lambda: 8, "7", "", ("done", "8", False)),
        (lambda: 7, "7", "why it cannot", ("done", "7", False)),
        (_refused, "nothing there", "why it cannot", ("ValueError", "nothing there", True)),
        (_refused, "403", "why it cannot", ("ValueError", "404: nothing there", False)),
        (_refused, "nothing there", "", ("ValueError", "404: nothing there", False)),
    ],
    ids=["as expected", "another answer", "done after all", "refused as expected", "refused otherwise", "refused"],
)
def test_a_step_is_as_expected_only_in_result_and_words(
    run: Callable[[], Any], expected: str, refused: str, told: tuple[str, str, bool],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    tell([Step("a call", run, expected, refused)])
    line = json.loads(capsys.readouterr().out)
    assert (line["result"], line["said"], line["is_as_expected"]) == told
    assert (line["call"], line["reason"]) == ("a call", refused)
