"""What the probe finds: one line for each question, with what was seen and what follows from it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How what was seen compares with what the reconciler assumes."""

    AS_ASSUMED = "as assumed"
    DIFFERS = "differs"
    NOT_SETTLED = "not settled"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question. `follows` says what a difference means and what to set, or why it is unsettled.

    `step` is the name of the step that found it; the run fills it in.
    """

    question: str
    verdict: Verdict
    seen: str
    follows: str = ""
    step: str = ""


def as_assumed(question: str, seen: str) -> Finding:
    """What was seen is what the reconciler assumes."""
    return Finding(question, Verdict.AS_ASSUMED, seen)


def differs(question: str, seen: str, follows: str) -> Finding:
    """What was seen is something else."""
    return Finding(question, Verdict.DIFFERS, seen, follows)


def not_settled(question: str, why: str, seen: str = "") -> Finding:
    """The question has no answer yet."""
    return Finding(question, Verdict.NOT_SETTLED, seen, why)


def judged(question: str, seen: str, follows: str, *, holds: bool) -> Finding:
    """As assumed if the assumption `holds`, else a difference with what follows."""
    return as_assumed(question, seen) if holds else differs(question, seen, follows)


def is_settled(findings: Iterable[Finding]) -> bool:
    """Whether every question is answered as assumed."""
    return all(finding.verdict is Verdict.AS_ASSUMED for finding in findings)


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """The number of findings for each verdict, by its words."""
    found = Counter(finding.verdict for finding in findings)
    return {verdict.value: found[verdict] for verdict in Verdict}
