"""One run of the probe: leftovers first, then each step, then everything that it has created is removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from reconciler.errors import ReconcilerError
from reconciler.observability.defects import place_of
from reconciler.probe.clean import clean, leftovers
from reconciler.probe.findings import Finding, not_settled
from reconciler.probe.objects import Created, Objects
from reconciler.probe.redaction import Redaction
from reconciler.probe.steps import Step
from reconciler.probe.trial import Trial
from reconciler.probe.wire import Stopped

LONGEST = 540.0
"""Seconds for all steps; removing what they have created comes after that."""
OnStep = Callable[[str, int, int], None]
"""Called with the name of the step that begins, its number from 1, and the number of all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run has found. `left` could not be removed; `requests` are counted by vendor.

    `stopped`: the operator has ended it before its last step. `leftovers` of earlier runs were removed first.
    """

    findings: tuple[Finding, ...]
    left: tuple[Created, ...]
    leftovers: int
    seconds: float
    requests: dict[str, int]
    stopped: bool = False


def run(
    trial: Trial,
    objects: Objects,
    steps: tuple[Step, ...],
    redaction: Redaction,
    requests: Callable[[], dict[str, int]],
    on_step: OnStep,
) -> Result:
    """Make the steps. ReconcilerError only if the leftovers of earlier runs cannot be looked for."""
    clock = trial.clock
    began = clock.monotonic()
    trial.halt.last = began + LONGEST
    removed = leftovers(trial, objects)
    findings: list[Finding] = []
    stopped = False
    try:
        for number, step in enumerate(steps, 1):
            on_step(step.name, number, len(steps))
            for finding in _made(trial, step):  # one by one: an interruption keeps what was found before
                findings += (_shown(finding, step, redaction),)
            clean(trial, objects, pauses=())
    except Stopped:
        stopped = True
    finally:
        on_step("removing what it has created", len(steps), len(steps))
        left = clean(trial, objects)
    return Result(tuple(findings), left, removed, clock.monotonic() - began, requests(), stopped)


def _made(trial: Trial, step: Step) -> Iterator[Finding]:
    """A step's findings. What ends it early is one as well."""
    try:
        trial.halt.check()
        yield from step.run(trial)
    except Stopped:
        raise
    except ReconcilerError as error:
        yield not_settled(step.does, str(error))
    except Exception as error:  # noqa: BLE001 - the other steps must be made, and everything be removed
        what = f"failed unexpectedly ({type(error).__name__} in {place_of(error)})"
        yield not_settled(step.does, f"{what}: this is a defect, please report it")


def _shown(finding: Finding, step: Step, redaction: Redaction) -> Finding:
    """The finding without what must not be shown."""
    return replace(
        finding,
        step=step.name,
        question=redaction.text(finding.question),
        seen=redaction.text(finding.seen),
        follows=redaction.text(finding.follows),
    )
