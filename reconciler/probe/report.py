"""What the probe prints: a line for each finding, the sums, and a report in Markdown to paste into an issue."""

from collections.abc import Iterable, Iterator
from typing import Any

from reconciler import __version__
from reconciler.observability.logs import printable
from reconciler.probe.findings import Finding, Verdict, counts, is_settled
from reconciler.probe.objects import Created
from reconciler.probe.run import Result
from reconciler.probe.steps import Step, estimate

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "\\|", "@": "&#64;", "`": "'"})
NOT_ASKED = (
    "what PagerDuty logs when a person un-acknowledges by hand on the website: only a person can do that",
    "ids, notes and writes of a moved site (questions 1 to 3): `reconciler migrate --check` compares them",
    "what another user or another team sees (question 10)",
    "whether people are notified (question 13): see their telephones",
    "how late webhooks come: nothing depends on them",
)
"""What no run settles, and how it can be settled."""


def is_good(result: Result) -> bool:
    """Whether everything is settled as assumed, and everything removed."""
    return is_settled(result.findings) and not result.left and not result.stopped


def as_text(result: Result, product: str) -> str:
    """The text for a terminal, which ends with the report in Markdown."""
    lines = [*map(_line, result.findings), "", *_sums(result), *map(left_line, result.left)]
    rule = "-" * 20
    return "\n".join(
        [*map(printable, lines), "", f"{rule} to paste into an issue {rule}", "", markdown(result, product)]
    )


def as_data(result: Result, product: str) -> dict[str, Any]:
    """The document that `probe --json` prints."""
    return {
        "version": __version__,
        "product": product,
        "findings": [
            {
                "step": each.step,
                "question": each.question,
                "verdict": each.verdict.value,
                "seen": each.seen,
                "follows": each.follows,
            }
            for each in result.findings
        ],
        "counts": counts(result.findings),
        "seconds": round(result.seconds, 1),
        "requests": result.requests,
        "stopped": result.stopped,
        "leftovers_removed": result.leftovers,
        "left": [
            {"kind": one.kind.value, "title": one.title, "id": one.id, "url": one.url} for one in result.left
        ],
        "report": markdown(result, product),
    }


def markdown(result: Result, product: str) -> str:
    """The report: no key, no name, no address, and no host that is not a vendor's."""
    lines = [
        f"### `reconciler probe` {__version__}: {product} and PagerDuty",
        "",
        "| step | question | seen | verdict |",
        "|---|---|---|---|",
        *(
            f"| {each.step} | {_cell(each.question)} | {_cell(each.seen)} | {_cell(_verdict(each))} |"
            for each in result.findings
        ),
        "",
        *_sums(result),
        "",
        "Not asked:",
        "",
        *(f"- {each}" for each in NOT_ASKED),
    ]
    return "\n".join(lines)


def listing(steps: Iterable[Step]) -> str:
    """The table that `probe --list` prints."""
    steps = tuple(steps)
    width = max(len(step.name) for step in steps)
    lines = [
        f"{step.name:<{width}}  {step.seconds:>3} s{' (not with --quick)' if step.slow else ''}  {step.does}"
        f"{f'; {step.product} only' if step.product else ''}  [{step.assumptions}]"
        for step in steps
    ]
    return "\n".join([*lines, "", f"{len(steps)} steps, about {estimate(steps)} s"])


def left_line(one: Created) -> str:
    """What could not be removed, and where it is."""
    place = one.url or one.id or "not found: it may appear later, and the next run removes it"
    done = "resolve" if one.kind.value == "incident" else "close"
    return f'NOT REMOVED: the {one.kind} "{one.title}": {done} it: {place}'


def _line(finding: Finding) -> str:
    width = max(len(verdict.value) for verdict in Verdict)
    words = f"{finding.question}: {finding.seen}" if finding.seen else finding.question
    follows = f" -> {finding.follows}" if finding.verdict is not Verdict.AS_ASSUMED else ""
    return f"{finding.verdict.value:<{width}}  {finding.step}: {words}{follows}"


def _verdict(finding: Finding) -> str:
    return finding.verdict.value + (f": {finding.follows}" if finding.follows else "")


def _sums(result: Result) -> Iterator[str]:
    yield ", ".join(f"{number} {verdict}" for verdict, number in counts(result.findings).items())
    minutes = max(result.seconds, 1.0) / 60
    each = ", ".join(
        f"{vendor} {number} ({number / minutes:.0f} a minute)"
        for vendor, number in sorted(result.requests.items())
    )
    yield f"{sum(result.requests.values())} requests in {result.seconds:.0f} s: {each or 'none'}"
    if result.stopped:
        yield "Stopped before the last step."
    if result.leftovers:
        yield f"Removed first: {result.leftovers} left by earlier runs."
    yield (
        f"Not removed: {len(result.left)}."
        if result.left
        else "Everything that was created is resolved or closed."
    )


def _cell(words: str) -> str:
    """A text as a cell of a table: nothing in it is markup, and no name in it notifies anybody."""
    return words.translate(_MARKUP)
