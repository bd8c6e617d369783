"""Steps of a witness, one after the other, printed as lines of JSON; only the standard library is needed."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the client. `expected` is what its answer shows, or a part of the text of its refusal.

    `refused` says why it is expected to be refused; empty if it is not.
    """

    call: str
    run: Callable[[], Any]
    expected: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a step. `result` is DONE or the kind of the refusal, `said` what was shown."""

    call: str
    result: str
    said: str
    is_as_expected: bool
    reason: str


def tell(steps: Iterable[Step]) -> None:
    """Run the steps, and print a line for each."""
    for step in steps:
        sys.stdout.write(json.dumps(asdict(_told(step))) + "\n")
        sys.stdout.flush()


def _told(step: Step) -> Told:
    try:
        said = str(step.run())
    except Exception as error:  # noqa: BLE001 - any exception of the client is the result of the step
        words = " ".join(str(error).split())
        expected = bool(step.refused) and step.expected in words
        return Told(step.call, type(error).__name__, step.expected if expected else words, expected, step.refused)
    return Told(step.call, DONE, said, said == step.expected and not step.refused, step.refused)
