"""`make matrix`: unit tests and the mapping's system test on every other Python that is installed.

An environment for each is kept in .venv-<version>. Prints which Pythons it has run on, and which are not there.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "test.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps")
NEEDED = "import ensurepip, sqlite3, ssl, venv"
LEFT_OUT = (
    "core",  # uses the standard library alone; all other tests run it
    "reconcile/test_commit.py",
    "reconcile/test_deliver.py",
    "sources/test_sweep.py",
    "vendors/test_json_fields.py",
    "vendors/test_rate_limiter_queue.py",
)
"""Unit tests that take half of the time, and try many cases of what other tests run at least once."""
TESTS = ("tests/unit", *(f"--ignore=tests/unit/{name}" for name in LEFT_OUT), "tests/system/test_mapping.py")


def environ(python: str) -> dict[str, str]:
    """Names the version for pyenv, whose `python3.x` otherwise starts only what is chosen globally."""
    return os.environ | {"PYENV_VERSION": python}


def works(python: str) -> bool:
    """Whether that Python is on PATH, starts, and has the modules that some distributions leave out."""
    program = shutil.which(f"python{python}")
    if program is None:
        return False
    done = subprocess.run([program, "-c", NEEDED], env=environ(python), capture_output=True, check=False)
    return done.returncode == 0


def prepared(python: str) -> Path:
    """The environment of that Python, installed anew if the lock is newer."""
    folder = ROOT / f".venv-{python}"
    done = folder / ".installed"
    if not done.exists() or done.stat().st_mtime < LOCK.stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([f"python{python}", "-m", "venv", folder], env=environ(python), check=True)
        install = (folder / "bin" / "python", *INSTALL)
        subprocess.run([*install, "--require-hashes", "--requirement", LOCK], check=True)
        subprocess.run([*install, "--no-build-isolation", "--editable", ROOT], check=True)
        done.touch()
    return folder


def passes(python: str) -> bool:
    """Whether the tests pass on that Python; says how long they took."""
    began = time.monotonic()
    pytest = prepared(python) / "bin" / "pytest"
    command: list[str | Path] = [pytest, "--quiet", "--no-header", "--numprocesses=2", "--dist=loadfile", *TESTS]
    good = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    print(f"Python {python}: {'passed' if good else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return good


def main() -> None:
    """Run on all that are installed; exits 1 if any has failed."""
    others = [python for python in PYTHONS if python != THIS]
    there = [python for python in others if works(python)]
    results = {python: passes(python) for python in there}
    absent = ", ".join(python for python in others if python not in there)
    print(f"Ran on {', '.join(there) or 'no other Python'}; not installed: {absent or 'none'}")
    if not all(results.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
