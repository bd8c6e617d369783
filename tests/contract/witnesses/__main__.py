"""`make witnesses`: both official clients use `reconciler sandbox`; prints what each of their calls came to.

Exits 1 if any came to something else than expected: then the sandbox, or the client, has changed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.witnesses.steps import DONE, Told
from tests.support.paths import ROOT
from tests.support.tls import Authority, authority, tls_before

NONE_OF_JSM = "JSM has no official client; its Integration Events API is documented as compatible with Opsgenie's."
LONGEST = 120.0
"""Seconds that a client may take."""
_ADDRESS = re.compile(r"http://[\w.]+:\d+")


def main() -> int:
    """Run both clients, each against a sandbox of its own."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        who = authority(Path(folder))
        for client in ("pagerduty", "opsgenie"):
            told = witness(client, who)
            wrong += sum(not one.is_as_expected for one in told)
            sys.stdout.write("\n".join([_title(client, told), *map(_line, told), "", ""]))
    sys.stdout.write(f"{NONE_OF_JSM}\n")
    return 1 if wrong else 0


def witness(client: str, who: Authority) -> list[Told]:
    """What each call of one client came to."""
    python = ROOT / f".venv-witness-{client}" / "bin" / "python"
    script = ("-m", f"tests.contract.witnesses.{client}_client")
    with _sandbox() as url, tls_before(url, who) as secure:
        address = secure if client == "pagerduty" else url
        command = (python, *script, address, who.ca)
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=LONGEST)
    return [Told(**json.loads(line)) for line in done.stdout.splitlines()]


@contextmanager
def _sandbox() -> Iterator[str]:
    """The installed command on a free port; yields its address."""
    command = (Path(sys.executable).with_name("reconciler"), "sandbox", "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as running:
        try:
            assert running.stdout is not None
            found = _ADDRESS.search(running.stdout.readline())
            assert found, "the sandbox has not said where it listens"
            yield found[0]
        finally:
            running.terminate()


def _title(client: str, told: list[Told]) -> str:
    done = sum(one.result == DONE for one in told)
    return f"{client}: {len(told)} calls, {done} done, {len(told) - done} refused"


def _line(one: Told) -> str:
    mark = "as expected" if one.is_as_expected else "UNEXPECTED"
    why = f" — {one.reason}" if one.reason else ""
    return f"  {one.call:<40} {one.result:<16} {mark:<12} {one.said}{why}"


if __name__ == "__main__":
    sys.exit(main())
