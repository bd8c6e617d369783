"""The findings of an examination: what was checked, what was found, how bad it is and how to fix it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from reconciler.errors import ReconcilerError
from reconciler.observability.defects import place_of
from reconciler.observability.logs import printable

Check = tuple[str, Callable[[], "Finding"]]
"""A check: its name, and how it is made."""


class Verdict(StrEnum):
    """How bad a finding is; only `bad` must be fixed."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. `fix` says what to do about it."""

    check: str
    verdict: Verdict
    found: str
    fix: str = ""


class Group(Protocol):
    """Checks that are made one after the other. Once something is `lost`, the others are not made."""

    @property
    def lost(self) -> str:
        """Why the checks that follow are not made; empty while they are."""

    def checks(self) -> tuple[Check, ...]:
        """The checks, in order."""


def good(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.GOOD, found)


def warning(check: str, found: str, fix: str = "") -> Finding:
    """It works, or cannot be checked, and somebody should look at it."""
    return Finding(check, Verdict.WARNING, found, fix)


def bad(check: str, words: str, fix: str = "") -> Finding:
    """It must be fixed. Without `fix`, what follows the first semicolon in `words` is taken for it."""
    found, _, advice = (words, "", fix) if fix else words.partition("; ")
    return Finding(check, Verdict.BAD, found, advice)


def attempted(check: Check) -> Finding:
    """Make one check. No error ends the examination."""
    name, make = check
    try:
        return make()
    except ReconcilerError as error:
        return bad(name, str(error))
    except Exception as error:  # noqa: BLE001 - the other checks must be made
        what = f"failed unexpectedly ({type(error).__name__} in {place_of(error)})"
        return bad(name, what, "this is a defect, please report it")


def made(group: Group) -> Iterable[Finding]:
    """Make the checks of a group, one after the other."""
    for check in group.checks():
        yield warning(check[0], f"not checked: {group.lost}") if group.lost else attempted(check)


def is_bad(findings: Iterable[Finding]) -> bool:
    """Whether anything must be fixed."""
    return any(finding.verdict is Verdict.BAD for finding in findings)


def as_data(findings: Iterable[Finding]) -> dict[str, Any]:
    """The document that `doctor --json` prints."""
    findings = tuple(findings)
    return {"checks": [row(each) for each in findings], "counts": counts(findings)}


def row(finding: Finding) -> dict[str, Any]:
    """One finding of that document."""
    return {
        "check": finding.check,
        "verdict": finding.verdict.value,
        "found": finding.found,
        "fix": finding.fix,
    }


def as_text(findings: Iterable[Finding]) -> str:
    """The text that `doctor` prints: a line for each check, and the sum."""
    findings = tuple(findings)
    return "\n".join([*lines(findings), "", sum_line(findings)])


def lines(findings: Iterable[Finding]) -> list[str]:
    """A line for each check."""
    findings = tuple(findings)
    width = max((len(each.check) for each in findings), default=0)
    return [
        printable(
            f"{each.verdict.value:<8} {each.check:<{width}}  {each.found}" + (f"; {each.fix}" if each.fix else "")
        )
        for each in findings
    ]


def sum_line(findings: Iterable[Finding]) -> str:
    """How many findings there are of each verdict."""
    return ", ".join(f"{number} {verdict}" for verdict, number in counts(findings).items())


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """The same as data."""
    found = Counter(each.verdict for each in findings)
    return {verdict.value: found[verdict] for verdict in Verdict}
