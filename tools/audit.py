"""`make audit`: whether a fault is known in a version that the lock files name.

pip-audit passes over packages that its service does not know. Here that is a failure: they were not audited.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
ELSEWHERE = "Run `make audit` where the advisories of PyPI can be reached."
SHOWN = 5
OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")


def findings(report: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The known faults, a line each, and the packages that could not be audited."""
    rows: Sequence[Mapping[str, Any]] = report["dependencies"]
    faults = {_line(row, fault) for row in rows for fault in row.get("vulns", ())}
    return sorted(faults), sorted({row["name"] for row in rows if "skip_reason" in row})


def _line(row: Mapping[str, Any], fault: Mapping[str, Any]) -> str:
    fixed = " or ".join(fault["fix_versions"]) or "no version"
    return f"{row['name']} {row['version']}: {fault['id']}, fixed in {fixed}"


def verdict(printed: str, errors: str) -> str | None:
    """What is wrong, from what pip-audit has printed; None if nothing is."""
    if not printed.strip():
        last = errors.strip().splitlines()[-1:]
        return f"Not audited: pip-audit reports nothing ({''.join(last)}). {ELSEWHERE}"
    faults, missing = findings(json.loads(printed))
    if missing:
        some = ", ".join(missing[:SHOWN]) + (", …" if len(missing) > SHOWN else "")
        faults.append(f"Packages not audited, for want of data: {len(missing)} ({some}). {ELSEWHERE}")
    return "\n".join(faults) or None


def main() -> None:
    """Ask pip-audit about every lock file; exits 1 if a fault is known, or anything could not be audited."""
    chosen = [word for lock in LOCKS for word in ("--requirement", str(lock))]
    command = [str(Path(sys.executable).parent / "pip-audit"), *OPTIONS, *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wrong = verdict(done.stdout, done.stderr)
    if wrong:
        sys.exit(wrong)
    print(f"No fault is known in what {', '.join(lock.name for lock in LOCKS)} install")


if __name__ == "__main__":
    main()
