"""`reconciler migrate`: what a move to another alert source finds, what keeps it from being made, and the move."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.matching import Match
from reconciler.core.migration import (
    Found,
    MovedPair,
    Standing,
    Unknown,
    baseline_of,
    dropped,
    entries,
    first_looks,
    is_blind,
    is_left_open,
    last_act,
    left_behind,
    sorted_out,
)
from reconciler.core.model import Kind, Pair
from reconciler.core.product import PRODUCTS, Product
from reconciler.observability.naming import counted, listed, pair_name
from reconciler.operations.migration_reads import Horizon, Progress, Readings, Stored, read
from reconciler.store.cursors import earlier
from reconciler.store.moving import Move
from reconciler.vendors.ports import AlertReader

MOST_NAMED = 5
"""The most alerts that one line names."""


class Unmatched(StrEnum):
    """What the operator has chosen for alerts of the other product that nothing here knows."""

    BASELINE = "baseline"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Choices:
    """The operator's choices. `drain`: changes that the present source still has are mirrored before the move.

    `is_drained`: that has been done, as far as it could be. `polled` is the last poll before that: what the new
    source alone has shown since is new, however long the daemon was stopped; None if nothing was drained.
    """

    drop_missing: bool = False
    drain: bool = False
    is_drained: bool = False
    unknown: Unmatched | None = None
    polled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that keeps the move from being made: what it is, and what to do about it."""

    kind: str
    words: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Examination:
    """The result of reading both sides.

    `obstacles` are left after the operator's choices. `settles_at` is when everything that was mirrored to or from
    the product that is left must show in the other one; None if it does by now.
    """

    here: Product
    there: Product
    now: datetime
    found: tuple[Found, ...]
    moved: tuple[MovedPair, ...]
    unknown: Unknown
    ahead: tuple[str, ...] | None
    obstacles: tuple[Obstacle, ...]
    settles_at: datetime | None
    choices: Choices

    @property
    def counts(self) -> Counter[Match]:
        """Number of pairs by verdict."""
        return Counter(each.verdict.match for each in self.found)

    @property
    def missing(self) -> tuple[Pair, ...]:
        """Pairs that are followed, and whose open alert the other product does not have."""
        return tuple(
            each.pair for each in self.found if _is_followed(each) and each.verdict.match is Match.MISSING
        )


def examine(
    snapshot: Stored,
    there: AlertReader,
    here: AlertReader | None,
    to: str,
    choices: Choices,
    horizon: Horizon,
    progress: Progress,
) -> Examination:
    """Read both sides and judge. Raises what the clients raise."""
    readings = read(snapshot, there, here, horizon, progress)
    products = PRODUCTS[snapshot.positions.source or "opsgenie"], PRODUCTS[to]
    polled = choices.polled or snapshot.positions.polled_alerts or horizon.now
    unknown = sorted_out(readings.unmatched, earlier(polled, horizon.staleness))
    settled = _settles_at(readings.found, horizon.staleness)
    return Examination(
        *products,
        horizon.now,
        readings.found,
        readings.moved,
        unknown,
        readings.ahead,
        tuple(_obstacles(snapshot, readings, unknown, choices, products)),
        settled if settled is not None and settled > horizon.now else None,
        choices,
    )


def move_of(seen: Examination, query: str, report: str) -> Move:
    """The move itself. Alerts that no pair has are baselines, or left as baselines, or left to be paged."""
    others = [_left_behind(each.pair) for each in seen.found if each.verdict.alert is None]
    if seen.choices.unknown is Unmatched.BASELINE:
        others += [baseline_of(alert, seen.now) for alert in seen.unknown.old]
    told = [entry for each in seen.moved for entry in entries(each, seen.here, seen.there, seen.now)]
    told += [left_behind(each.pair, seen.there, seen.now) for each in seen.found if each.verdict.alert is None]
    return Move(
        seen.there.key,
        seen.now,
        seen.moved,
        tuple(others),
        first_looks(seen.moved, seen.now),
        query,
        report,
        seen.choices.polled,
        tuple(told),
    )


def _left_behind(pair: Pair) -> Pair:
    return dropped(pair) if pair.alerts.open else replace(pair, next_look_at=None)


def _missing(found: Iterable[Found]) -> tuple[Pair, ...]:
    return tuple(each.pair for each in found if _is_followed(each) and each.verdict.match is Match.MISSING)


def _is_followed(each: Found) -> bool:
    return each.pair.alerts.open and (each.pair.tracked or each.pair.incident_id is not None)


def _settles_at(found: Iterable[Found], staleness: timedelta) -> datetime | None:
    """The newest act that was mirrored, and the time that a product may take to show it."""
    times = [
        at for each in found if each.pair.alerts.open and (at := last_act(each.mine, states=False)) is not None
    ]
    return max(times) + staleness if times else None


def _obstacles(
    snapshot: Stored, readings: Readings, unknown: Unknown, choices: Choices, products: tuple[Product, Product]
) -> Iterator[Obstacle]:
    here, there = products
    followed = [each for each in readings.found if _is_followed(each)]
    missing = _missing(followed)
    if is_blind([each.pair for each in followed], missing, sees_any=readings.sees_any):
        yield Obstacle(
            "blind",
            f"{there.name} shows {len(followed) - len(missing)} of {counted(len(followed), 'open alert')}: either "
            f"they have not been moved there yet, or {there.credential} may not see their teams",
            f"see what `reconciler doctor` says of {there.name}, and check {there.query}; if they are gone, "
            "`reconciler unlink ALERT` gives one up",
        )
    elif missing and not choices.drop_missing:
        yield Obstacle(
            "missing",
            f"{there.name} does not have {_named(missing)}",
            "--drop-missing stops following them, and says nothing of it in PagerDuty",
        )
    ambiguous = [each for each in followed if each.verdict.match is Match.AMBIGUOUS]
    for each in ambiguous:
        yield Obstacle(
            "ambiguous",
            f"{pair_name(each.pair.alert_id, each.pair)} may be any of {listed(sorted(each.verdict.among))}",
            f"close all but one of them in {there.name}, or wait until they are closed",
        )
    if unknown.old and choices.unknown is None:
        yield Obstacle(
            "unknown",
            f"{counted(len(unknown.old), 'open alert')} of {there.name}'s, older than the last poll, "
            f"{'is' if len(unknown.old) == 1 else 'are'} not known here",
            "--baseline-unknown pages nobody for them, --page-unknown pages for each",
        )
    yield from _unfinished(snapshot, readings, choices, here)


def _unfinished(snapshot: Stored, readings: Readings, choices: Choices, here: Product) -> Iterator[Obstacle]:
    """What only the product that is left can finish."""
    if choices.drain:
        return
    left = [action for each in readings.found for action in each.mine if is_left_open(action)]
    pages = sum(action.kind is Kind.CREATE_INCIDENT for action in left) + len(snapshot.waiting)
    if pages:
        yield Obstacle(
            "pages",
            f"{counted(pages, 'page')} {_waits(pages)} to be made",
            "--drain makes what PagerDuty takes before the move"
            if readings.ahead is not None
            else f"run `reconciler once` with ALERT_SOURCE={here.key} first: {here.name} need not answer for that",
        )
    writes = sum(action.kind is not Kind.CREATE_INCIDENT for action in left)
    if writes and readings.ahead is not None:
        yield Obstacle(
            "writes",
            f"it is not known yet whether {here.name} has carried out {counted(writes, 'write')}",
            "--drain finds out before the move",
        )
    if readings.ahead and not choices.is_drained:
        names = {pair.alert_id: pair for pair in snapshot.pairs}
        shown = listed([pair_name(each, names.get(each)) for each in readings.ahead[:MOST_NAMED]])
        yield Obstacle(
            "ahead",
            f"in {here.name}, {counted(len(readings.ahead), 'alert')} changed since the last poll: {shown}",
            "--drain mirrors that before the move",
        )


def _waits(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _named(pairs: Sequence[Pair]) -> str:
    shown = [pair_name(pair.alert_id, pair) for pair in pairs[:MOST_NAMED]]
    rest = len(pairs) - len(shown)
    return listed([*shown, counted(rest, "other alert")]) if rest else listed(shown)


def is_news(each: MovedPair) -> bool:
    """Whether the first cycle after the move mirrors something of this pair."""
    return each.standing is Standing.NEWS or bool(each.news)
