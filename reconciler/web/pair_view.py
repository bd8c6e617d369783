"""What the page of a pair shows, as values: its story in the order of time, the alert left, the incident right."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler import __version__
from reconciler.core.model import Action, Pair, Side
from reconciler.core.product import Product
from reconciler.observability.naming import pair_name, span, state_of
from reconciler.operations import story
from reconciler.operations.explain import Explanation, left_out_words, retry_command
from reconciler.operations.story import Step, Story
from reconciler.operations.waits import Wait
from reconciler.web.view import ALARMING, Cell, Moment, Table, moment, table

MOST_STEPS = 500
"""How many steps of one story the page shows at most, the newest ones. `reconciler explain` prints all of them."""


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of the pair: its state in words, since when, when it was polled, and its page at the vendor."""

    name: str
    state: str
    as_of: Moment | None
    polled: str
    url: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. `place` is the lane that the page shows it in: opsgenie (the alert's), pagerduty or both.

    `more` are details, one each.
    """

    at: Moment
    place: str
    side: str
    event: str
    tone: str
    what: str
    who: str
    words: str
    note: str
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryView:
    """One pair's story. `earlier` says how many steps are left out, which `command` shows.

    `sweep` says when the sweep reads it.
    """

    name: str
    alert_id: str
    shortly: tuple[str, ...]
    sides: tuple[SideView, ...]
    sweep: str
    steps: tuple[StepView, ...]
    earlier: str
    command: str
    tables: tuple[Table, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class PairView:
    """The whole page; several stories where a number is an alert's and an incident's. `lanes` are both vendors."""

    made: Moment
    lanes: tuple[str, ...]
    stories: tuple[StoryView, ...]
    left_out: str
    version: str = __version__


def pair_view(found: Explanation, alert_page: Callable[[str], str]) -> PairView:
    """The page's values. `alert_page` gives an alert's page, where no vendor has named it."""
    stories = tuple(_story(found, one, alert_page) for one in found.stories)
    lanes = tuple(found.product.name_of(side) for side in Side)
    return PairView(moment(found.now), lanes, stories, left_out_words(found))


def _story(found: Explanation, one: Story, alert_page: Callable[[str], str]) -> StoryView:
    pair, left, product = one.pair, len(one.steps) - MOST_STEPS, found.product
    name = pair.tiny_id if pair is not None and pair.tiny_id else one.alert_id
    tables = (_waits(one.waits, product), _dead(found, one))
    return StoryView(
        name=pair_name(one.alert_id, pair),
        alert_id=one.alert_id,
        shortly=tuple(f"{words[0].upper()}{words[1:]}." for words in one.shortly),
        sides=() if pair is None else tuple(_side(found, one, pair, side, alert_page) for side in Side),
        sweep="" if pair is None else _sweep(pair),
        steps=tuple(_step(step, product) for step in one.steps[-MOST_STEPS:]),
        earlier=f"{left} earlier steps are left out. All of them:" if left > 0 else "",
        command=f"reconciler explain {name}{found.option}",
        tables=tuple(each for each in tables if each.rows),
        empty="" if one.waits or one.dead else "Nothing waits, and nothing is dead.",
    )


def _side(found: Explanation, one: Story, pair: Pair, side: Side, alert_page: Callable[[str], str]) -> SideView:
    at, last = story.as_of(pair, side), dict(found.polled).get(side)
    of_alert = side is Side.ALERTS
    url = (one.alert_url or alert_page(one.alert_id)) if of_alert else one.incident_url
    return SideView(
        found.product.name_of(side),
        story.state_of_alert(pair) if of_alert else story.state_of_incident(pair),
        moment(at) if at else None,
        f"{span(found.now - last)} ago" if last else "never",
        url,
    )


def _sweep(pair: Pair) -> str:
    if pair.swept_at is None:
        return ""
    due = f", next at {moment(pair.next_look_at).words}" if pair.next_look_at else ", and not by it again"
    return f"Both sides were read by the sweep at {moment(pair.swept_at).words}{due}."


def _step(step: Step, product: Product) -> StepView:
    entry = step.entry
    more = (
        f"found by {entry.source}" if entry.source and entry.kind is None else "",
        f"incident {entry.incident_id}" if entry.incident_id and not entry.kind else "",
        f"request {entry.request_id}" if entry.request_id else "",
        "" if step.is_journalled else story.BEFORE_JOURNAL,
    )
    return StepView(
        at=moment(entry.at),
        place=entry.side.value if entry.side else "both",
        side=product.name_of(entry.side) if entry.side else "both sides",
        event=entry.event.value,
        tone="bad" if entry.event.value in ALARMING else "ours" if entry.kind else "",
        what=product.kind(entry.kind) if entry.kind else "",
        who=entry.who if entry.is_act else "",
        words=entry.words,
        note=step.note,
        more=tuple(filter(None, more)),
    )


def _waits(found: Iterable[Wait], product: Product) -> Table:
    rows = (
        (
            Cell(product.kind(wait.action.kind)),
            Cell(state_of(wait.action)),
            Cell(wait.action.reason),
            _until(wait),
            Cell(wait.why),
        )
        for wait in found
    )
    return table(
        "waits", "What waits", ("action", "state", "because", "until", "why it waits"), rows, most=MOST_STEPS
    )


def _until(wait: Wait) -> Cell:
    if wait.until is None:
        return Cell("no set time")
    at = moment(wait.until)
    return Cell(at.words, time=at.iso)


def _dead(found: Explanation, one: Story) -> Table:
    rows = (_dead_row(action, found.product) for action in one.dead)
    columns, advice = ("action", "because", "error"), "To try it again:"
    commands = (retry_command(one, found.option),) if one.dead else ()
    return table("dead", "Dead", columns, rows, advice, commands, most=MOST_STEPS)


def _dead_row(action: Action, product: Product) -> tuple[Cell, ...]:
    return Cell(product.kind(action.kind)), Cell(action.reason), Cell(action.error)
