"""`make assumptions`: the scenarios through the installed command, once with each assumption turned round.

Names of rows, or parts of them, as arguments run these rows alone; RECONCILER_SCENARIOS names the files of tests.
"""

import json
import os
import re
import subprocess
import sys
import time
from fnmatch import fnmatchcase

from tests.support.assumptions import ASSUMPTIONS, Assumption
from tests.support.harness import TURNED
from tests.support.paths import ROOT

FILES = tuple(
    f"tests/system/test_{name}.py" for name in ("mapping", "echo", "our_own_acts", "nobody_paged", "sweep", "lag")
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\w+)", re.MULTILINE)
_RAN = re.compile(r"(\d+) (?:passed|failed|error)")


def main(words: list[str]) -> int:
    """Run the rows; 1 if a test has failed that may not."""
    files = os.environ.get("RECONCILER_SCENARIOS", "").split() or list(FILES)
    is_bad = False
    for name, row in ASSUMPTIONS.items():
        if words and not any(word in name for word in words):
            continue
        began = time.monotonic()
        failed, ran = run(row, files)
        excused = {test: why for test in failed for each, why in row.scenarios.items() if fnmatchcase(test, each)}
        wrong = sorted(failed - set(excused))
        is_bad |= bool(wrong) or not ran
        verdict = "failed" if wrong or not ran else "passed"
        lines = [f"{verdict}  {name}: {ran} tests, {time.monotonic() - began:.0f} s", *wrong]
        lines += [f"{test}: {why}" for test, why in sorted(excused.items())]
        print("\n        ".join(lines), flush=True)  # noqa: T201 - the command's output
    return int(is_bad)


def run(row: Assumption, files: list[str]) -> tuple[set[str], int]:
    """The names of the tests that fail with the row's settings, and how many tests have run."""
    turned = {TURNED: json.dumps(dict(row.settings)), "RECONCILER_ALERT_SOURCE": row.source}
    command = [sys.executable, "-m", "pytest", "--quiet", "--numprocesses=4", "--dist=loadfile", "--tb=no", *files]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | turned, capture_output=True, text=True, check=False)
    return set(_FAILED.findall(done.stdout)), sum(map(int, _RAN.findall(done.stdout)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
