"""`make release`: wheel, source distribution, bill of materials and their hashes in dist/, all checked.

`make sbom` makes the bill of materials alone.
"""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler import __version__

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
LOCK = ROOT / "requirements" / "runtime.txt"
SBOM = DIST / f"reconciler-{__version__}.cdx.json"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, folder: Path = ROOT, **environ: str) -> str:
    """What it prints on stdout; ends the program if it fails."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environ, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def last_commit() -> str:
    """The time that all files in the archives bear, so that each build of a commit gives the same bytes."""
    return os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct").strip()


def build(into: Path, *targets: str, source: Path = ROOT) -> dict[str, Path]:
    """Build the `targets` (sdist, wheel) from `source`, without an index; each with its file."""
    chosen = [word for target in targets for word in ("-t", target)]
    time = last_commit()
    run(sys.executable, "-m", "hatchling", "build", "-d", into, *chosen, folder=source, SOURCE_DATE_EPOCH=time)
    forms = {"sdist": "*.tar.gz", "wheel": "*.whl"}
    return {target: next(into.glob(forms[target])) for target in targets}


def wheel_of(sdist: Path, into: Path) -> Path:
    """The wheel that the source distribution builds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(into, filter="data")
    (source,) = (path for path in into.iterdir() if path.is_dir())
    return build(into / "wheel", "wheel", source=source)["wheel"]


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def environment(folder: Path) -> Path:
    """A new environment in `folder`, with what the lock names and nothing else, not even pip."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    install(folder, "--require-hashes", "--requirement", str(LOCK))
    return folder


def install(folder: Path, *what: str) -> None:
    """Install that into an environment; dependencies are not looked for."""
    run(*PIP, "--python", folder / "bin" / "python", "install", "--no-compile", "--no-deps", *what)


def locked(lock: str) -> dict[str, str]:
    """The packages, each with its version, that a lock installs on this Python and machine."""
    entries = (line.rstrip(" \\") for line in lock.splitlines() if line[:1] not in {"", " ", "#"})
    wanted = (asked for asked in map(Requirement, entries) if asked.marker is None or asked.marker.evaluate())
    return {canonicalize_name(asked.name): str(asked.specifier).removeprefix("==") for asked in wanted}


def difference(bill: Mapping[str, object], lock: Mapping[str, str]) -> list[str]:
    """Each package in which the bill of materials and the lock differ, sorted."""
    rows = bill["components"]
    assert isinstance(rows, list)
    listed = {(canonicalize_name(row["name"]), row["version"]) for row in rows}
    return sorted(f"{name} {version}" for name, version in listed ^ set(lock.items()))


def make_sbom(folder: Path) -> None:
    """Write the bill of materials of the environment in `folder`, validated against CycloneDX's schema."""
    DIST.mkdir(exist_ok=True)
    maker = Path(sys.executable).parent / "cyclonedx-py"
    about = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = folder / "pyproject.toml"  # with the version written out: cyclonedx-py does not read it from the code
    named.write_text(about.replace('dynamic = ["version"]', f'version = "{__version__}"'), encoding="utf-8")
    run(
        maker, "environment", "--pyproject", named, "--mc-type", "application", "--output-reproducible",
        "--validate", "--output-file", SBOM, folder / "bin" / "python", SOURCE_DATE_EPOCH=last_commit(),
    )  # fmt: skip
    wrong = difference(json.loads(SBOM.read_text(encoding="utf-8")), locked(LOCK.read_text(encoding="utf-8")))
    if wrong:
        sys.exit(f"{SBOM.name} and {LOCK.name} differ in {', '.join(wrong)}")
    print(f"{SBOM.relative_to(ROOT)}: valid, and lists what {LOCK.relative_to(ROOT)} installs")


def check_installed(command: Path, folder: Path) -> None:
    """Check that the installed command starts, makes a database and mirrors an alert, away from the checkout."""
    said = run(command, "--version", folder=folder)
    if said.split() != ["reconciler,", "version", __version__]:
        sys.exit(f"reconciler --version says {said!r}, not {__version__}")
    database = f"sqlite:///{folder / 'fresh.db'}"
    run(command, "db", "upgrade", folder=folder, DATABASE_URL=database)
    run(command, "db", "current", "--check", folder=folder, DATABASE_URL=database)
    run(command, "demo", folder=folder)
    print(f"{said.strip()}: `db upgrade`, `db current --check` and `demo` pass in an empty environment")


def release() -> None:
    """Fill dist/."""
    DIST.mkdir(exist_ok=True)
    for old in DIST.iterdir():
        old.unlink()
    built = build(DIST, "sdist", "wheel")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if digest(wheel_of(built["sdist"], folder / "sdist")) != digest(built["wheel"]):
            sys.exit("The source distribution builds another wheel than the checkout does")
        print("The source distribution builds the same wheel as the checkout, byte for byte")
        print(run(sys.executable, "-m", "twine", "check", "--strict", *built.values()).strip())
        venv = environment(folder / "venv")
        make_sbom(venv)
        install(venv, str(built["wheel"]))
        check_installed(venv / "bin" / "reconciler", folder)
    sums = "".join(f"{digest(path)}  {path.name}\n" for path in sorted(DIST.iterdir()))
    (DIST / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(sums, end="")


def sbom() -> None:
    """Write the bill of materials alone."""
    with tempfile.TemporaryDirectory() as name:
        make_sbom(environment(Path(name) / "venv"))


if __name__ == "__main__":
    {"release": release, "sbom": sbom}[sys.argv[1]]()
