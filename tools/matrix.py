"""`make matrix`: some unit tests and the mapping's system test on every other Python that is installed.

An environment for each is kept in .venv-<version>. Prints which Pythons it has run on, and which are not there.
With `--newest` it is only the newest of them, and with `--prepare` it only makes the environments.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "test.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps")
NEEDED = "import ensurepip, sqlite3, ssl, venv"
AREAS = ("cli", "runtime", "store")
"""Packages whose unit tests run: those that meet what differs between Pythons, and the libraries bound to one."""
TESTS = (*(f"tests/unit/{area}" for area in AREAS), "tests/system/test_mapping.py")


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
    """Whether the tests pass on that Python; prints what pytest said, and how long it took."""
    began = time.monotonic()
    pytest = prepared(python) / "bin" / "pytest"
    command: list[str | Path] = [pytest, "--quiet", "--no-header", *TESTS]
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    good = done.returncode == 0
    said = done.stdout.strip().rpartition("\n")[2] if good else done.stdout
    print(
        f"{said}\nPython {python}: {'passed' if good else 'FAILED'} in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return good


def main(options: Collection[str] = ()) -> None:
    """Run on all that are installed, at the same time; exits 1 if any has failed."""
    others = [python for python in PYTHONS if python != THIS]
    there = [python for python in others if works(python)][-1 if "--newest" in options else 0 :]
    if "--prepare" in options:
        for python in there:
            prepared(python)
        return
    with ThreadPoolExecutor(max_workers=len(PYTHONS)) as together:
        results = list(together.map(passes, there))
    left_out = ", ".join(python for python in others if python not in there)
    print(f"Ran on {', '.join(there) or 'no other Python'}; not on {left_out or 'none'}")
    if not all(results):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
