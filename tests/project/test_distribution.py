"""How the processes of a test run share out the files."""

import pytest

from tests.support.distribution import is_computing, next_file

FILES: dict[str, object] = dict.fromkeys(
    ("tests/system/test_storm.py", "tests/unit/core/test_text.py", "tests/project/test_layout.py")
)


@pytest.mark.parametrize(
    ("worker", "file"), [("gw0", "tests/unit/core/test_text.py"), ("gw2", "tests/system/test_storm.py")]
)
def test_a_worker_draws_its_own_kind_of_file_first(worker: str, file: str) -> None:
    assert next_file(FILES, computing=is_computing(worker)) == file


@pytest.mark.parametrize("computing", [True, False])
def test_a_worker_whose_kind_is_exhausted_draws_the_first_file_of_all(computing: bool) -> None:
    other = "tests/system/test_storm.py" if computing else "tests/unit/core/test_text.py"
    assert next_file({other: None}, computing=computing) == other


def test_a_run_in_one_process_computes_and_waits_in_turn() -> None:
    assert not is_computing("")
