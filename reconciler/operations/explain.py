"""`reconciler explain`: the story of a pair, or the reason why an alert is not tracked, as text and as JSON."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.journal import Event
from reconciler.core.model import Action, Pair, Side
from reconciler.core.product import OPSGENIE, Product, product_of
from reconciler.observability.logs import printable
from reconciler.observability.naming import pair_name, span, state_of
from reconciler.operations import story
from reconciler.operations.status import LATE, LATE_INTERVALS
from reconciler.operations.story import Step, Story, stamp
from reconciler.operations.untracked import Running, Searches, Verdict, verdicts
from reconciler.operations.waits import Wait
from reconciler.store import stories
from reconciler.store.cursors import Positions
from reconciler.store.database import Database, UnitOfWork
from reconciler.store.overview import find, lead

MOST_STORIES = 10
"""The most stories of one id: an alert's, an incident's, and those of pairs that have followed the incident."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of one id. `verdicts` are the answers if it is not tracked.

    `left_out` is how many further stories name the id, which are not read. `product` raises the alerts. `route` is
    named where there are several.
    """

    given: str
    now: datetime
    database: str
    stories: tuple[Story, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    polled: tuple[tuple[Side, datetime | None], ...] = ()
    left_out: int = 0
    product: Product = OPSGENIE
    route: str = ""

    @property
    def option(self) -> str:
        """The option by which a command finds the same pair."""
        return f" --route {self.route}" if self.route else ""

    @property
    def is_answer(self) -> bool:
        """Whether the id is known anywhere."""
        return bool(self.stories) or any(verdict.is_known for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration adds: the daemon's interval, its query where the database has none, and retention."""

    interval: float
    query: str
    retention: timedelta


def read(
    database: Database, address: str, given: str, known: Known, searches: Callable[[], Searches]
) -> Explanation:
    """The explanation of an id. `searches` is called only for one that is not tracked.

    Raises what the vendors' clients raise, but asks them nothing about a pair that the database knows.
    """
    now = datetime.now(UTC)
    with database.reading() as unit:
        found = _told(unit, address, given, now)
        running = _running(unit, unit.cursors.load(now), known, now)
    return found if found.stories else replace(found, verdicts=verdicts(given, searches(), running, now))


def read_tracked(database: Database, address: str, given: str) -> Explanation:
    """What the database alone knows of an id: no vendor is asked, and an id that is not tracked has no story."""
    with database.reading() as unit:
        return _told(unit, address, given, datetime.now(UTC))


def _told(unit: UnitOfWork, address: str, given: str, now: datetime) -> Explanation:
    named = (*find(unit, given), *stories.named_in_journal(unit, given)) if given.strip("#") else ()
    tracked = tuple(dict.fromkeys(named))
    found = tuple(story.read(unit, alert_id, now) for alert_id in tracked[:MOST_STORIES])
    positions = unit.cursors.load(now)
    polled = ((Side.ALERTS, positions.polled_alerts), (Side.PAGERDUTY, positions.polled_pagerduty))
    return Explanation(
        given,
        now,
        address,
        found,
        polled=polled,
        left_out=len(tracked) - len(found),
        product=product_of(positions.source),
    )


def _running(unit: UnitOfWork, positions: Positions, known: Known, now: datetime) -> Running:
    led = lead(unit)
    product = product_of(positions.source)
    pauses = tuple(story.paused(pause, product) for pause in unit.pauses.all() if not pause.is_over(now))
    return Running(
        positions,
        led.process if led else "",
        known.query if positions.query is None else positions.query,
        max(LATE, LATE_INTERVALS * known.interval),
        known.retention,
        pauses,
    )


# -- text --


def as_text(found: Explanation, alert_page: Callable[[str], str]) -> str:
    """The text that `explain` prints."""
    parts = [list(_story(found, each, alert_page)) for each in found.stories]
    parts += [list(_verdict(found, each)) for each in found.verdicts]
    if found.left_out:
        parts.append([left_out_words(found)])
    return "\n\n".join("\n".join(printable(line) for line in part) for part in parts)


def left_out_words(found: Explanation) -> str:
    """How many stories are not shown; empty if all are."""
    if not found.left_out:
        return ""
    return f"The first {len(found.stories)} of {len(found.stories) + found.left_out} stories that name this id."


def _story(found: Explanation, one: Story, alert_page: Callable[[str], str]) -> Iterator[str]:
    pair, product = one.pair, found.product
    yield f"{pair_name(one.alert_id, pair)} (alert {one.alert_id})"
    yield from (f"  {words[0].upper()}{words[1:]}." for words in one.shortly)
    if pair is not None:
        yield ""
        yield from _states(found, one, pair, alert_page)
    yield ""
    yield "Story (UTC):"
    yield from (_step(step, product) for step in one.steps)
    if not one.steps:
        yield "  nothing is recorded"
    if one.waits:
        yield ""
        yield "Waits:"
        yield from (_wait(wait, product) for wait in one.waits)
    if one.dead:
        yield ""
        yield "Dead:"
        yield from (f"  {product.kind(action.kind)} ({action.reason}): {action.error}" for action in one.dead)
        yield f"To try it again: {retry_command(one, found.option)}"


def _states(found: Explanation, one: Story, pair: Pair, alert_page: Callable[[str], str]) -> Iterator[str]:
    polled = dict(found.polled)
    words = {Side.ALERTS: story.state_of_alert(pair), Side.PAGERDUTY: story.state_of_incident(pair)}
    pages = {Side.ALERTS: one.alert_url or alert_page(one.alert_id), Side.PAGERDUTY: one.incident_url}
    for side in Side:
        at, last = story.as_of(pair, side), polled.get(side)
        changed = f"; as of {stamp(at)}" if at else ""
        name = found.product.name_of(side)
        ago = f"; {name} polled {span(found.now - last)} ago" if last else ""
        yield f"{name:<10} {words[side]}{changed}{ago}"
        if pages[side]:
            yield f"           {pages[side]}"
    if pair.swept_at is not None:
        due = f", next at {stamp(pair.next_look_at)}" if pair.next_look_at else ", and is not read by it again"
        yield f"Sweep      read both sides at {stamp(pair.swept_at)}{due}"


def _step(step: Step, product: Product) -> str:
    entry = step.entry
    side = product.name_of(entry.side) if entry.side else ""
    who = f"{entry.who}: " if entry.who and entry.kind is None else ""
    what = f"{product.kind(entry.kind)}: " if entry.kind else ""
    ends = [
        f'"{step.note}"' if step.note else "",
        f"by {entry.who}" if entry.who and entry.event is Event.RETRIED else "",
        f"found by: {entry.source}" if entry.source and entry.kind is None else "",
        f"incident {entry.incident_id}" if entry.incident_id and not entry.kind else "",
        f"request {entry.request_id}" if entry.request_id else "",
        "" if step.is_journalled else story.BEFORE_JOURNAL,
    ]
    more = "; ".join(filter(None, ends))
    line = f"{entry.at:%Y-%m-%d %H:%M:%S}  {side:<9}  {entry.event.value:<8}  {who}{what}{entry.words}"
    return f"  {line.rstrip(': ')}" + (f" ({more})" if more else "")


def _wait(wait: Wait, product: Product) -> str:
    until = f" until {stamp(wait.until)}" if wait.until else ""
    return f"  {product.kind(wait.action.kind)} ({wait.action.reason}), {state_of(wait.action)}{until}: {wait.why}"


def retry_command(one: Story, option: str = "") -> str:
    """The command that puts the pair's dead actions back."""
    name = one.pair.tiny_id if one.pair is not None and one.pair.tiny_id else one.alert_id
    return f"reconciler retry {name}{option}"


def _verdict(found: Explanation, one: Verdict) -> Iterator[str]:
    named = f"{one.name} (alert {one.alert_id})" if one.alert_id else one.name or found.given
    yield f"{named} is not tracked in {found.database}: {one.kind}"
    yield from (f"  {words[0].upper()}{words[1:]}." for words in one.words)
    if one.url:
        yield f"  {one.url}"


# -- JSON --


def as_data(found: Explanation, alert_page: Callable[[str], str]) -> dict[str, Any]:
    """The document that `explain --json` prints."""
    return {
        "id": found.given,
        "now": found.now.isoformat(),
        "database": found.database,
        "known": found.is_answer,
        "polled": {found.product.key_of(side): _iso(at) for side, at in found.polled},
        "stories": [_story_data(found, one, alert_page) for one in found.stories],
        "stories_left_out": found.left_out,
        "untracked": [
            {
                "verdict": one.kind,
                "known": one.is_known,
                "words": list(one.words),
                "alert_id": one.alert_id,
                "name": one.name,
                "url": one.url,
                "terms": list(one.terms),
            }
            for one in found.verdicts
        ],
    }


def _story_data(found: Explanation, one: Story, alert_page: Callable[[str], str]) -> dict[str, Any]:
    pair, product = one.pair, found.product
    return {
        "alert_id": one.alert_id,
        "alert": pair.tiny_id if pair else None,
        "title": pair.title if pair else "",
        "incident_id": pair.incident_id if pair else None,
        "incident": pair.incident_number if pair else None,
        "tracked": pair.tracked if pair else None,
        "alert_url": one.alert_url or alert_page(one.alert_id),
        "incident_url": one.incident_url,
        "shortly": list(one.shortly),
        **{product.key_of(side): _side_data(pair, side) for side in Side},
        "swept_at": _iso(pair.swept_at) if pair else None,
        "next_look_at": _iso(pair.next_look_at) if pair else None,
        "story": [_step_data(step, product) for step in one.steps],
        "waits": [
            _action_data(wait.action, product) | {"until": _iso(wait.until), "why": wait.why} for wait in one.waits
        ],
        "dead": [_action_data(action, product) for action in one.dead],
        "retry": retry_command(one, found.option) if one.dead else "",
    }


def _side_data(pair: Pair | None, side: Side) -> dict[str, Any] | None:
    if pair is None or (side is Side.PAGERDUTY and pair.pagerduty is None):
        return None
    words = story.state_of_alert(pair) if side is Side.ALERTS else story.state_of_incident(pair)
    return {"state": words, "as_of": _iso(story.as_of(pair, side))}


def _step_data(step: Step, product: Product) -> dict[str, Any]:
    entry = step.entry
    return {
        "at": entry.at.isoformat(),
        "event": entry.event.value,
        "side": product.key_of(entry.side) if entry.side else None,
        "kind": product.kind(entry.kind) if entry.kind else None,
        "who": entry.who,
        "words": entry.words,
        "note": step.note,
        "source": entry.source,
        "incident_id": entry.incident_id,
        "request_id": entry.request_id,
        "key": entry.key,
        "journalled": step.is_journalled,
    }


def _action_data(action: Action, product: Product) -> dict[str, Any]:
    return {
        "id": action.id,
        "kind": product.kind(action.kind),
        "state": state_of(action),
        "reason": action.reason,
        "error": action.error,
        "attempts": action.attempts,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
