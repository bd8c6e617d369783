"""The move of the snapshot to another product that raises the alerts: what becomes of each pair.

The baselines are kept, so that what people did during the move is a change that is mirrored once. Ids are replaced
where the other product has other ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.baselines import kept_title
from reconciler.core.journal import Entry, Event
from reconciler.core.journal_entries import of_action
from reconciler.core.matching import Match, Verdict
from reconciler.core.model import Act, Action, Alert, AlertBaseline, Kind, Note, Pair, Side, Status
from reconciler.core.moved_notes import MOVER, KeptNotes, key_mark, known_there, rests_on_age
from reconciler.core.product import Product
from reconciler.core.work import Priority, ReadRequest, Reason, WorkItem

MARKED_BECAUSE = "the alert has a new id since the move, and its incident's key is the old one"
CARRIED_BECAUSE = "what was mirrored before the move has not reached the alert"
MOVED = "moved"
"""The verb in the keys of actions that a move plans."""
BLIND_SHARE = 0.9
"""Share of missing alerts from which the key is more probably blind than the alerts gone."""
_STATE_VERBS = frozenset({"acknowledge", "unacknowledge", "close", "delete"})
_ALERT_STATES = (Kind.ALERT_ACKNOWLEDGE, Kind.ALERT_UNACKNOWLEDGE)


class Standing(StrEnum):
    """How an alert's state in the other product relates to the state that was mirrored."""

    EQUAL = "equal"
    NEWS = "news"  # somebody has changed it there since: mirrored by the first cycle after the move
    UNSHARED = "unshared"  # the mirrored state has not reached the other product


@dataclass(frozen=True, slots=True)
class Found:
    """A pair and everything that was read about it.

    `notes` are the alert's in the other product, None for a pair whose notes are not mirrored; `notes_here` are
    those in the product that is left, None if they were not read. `acts` are the newest entries of its log there.
    `known` are the ids of its known notes, and `former` all other ids that the alert has had.
    """

    pair: Pair
    verdict: Verdict
    notes: tuple[Note, ...] | None = None
    notes_here: tuple[Note, ...] | None = None
    acts: tuple[Act, ...] = ()
    mine: tuple[Action, ...] = ()
    known: frozenset[str] = frozenset()
    former: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MovedPair:
    """A pair after the move. `notes` are the ids of the alert's known notes; None: they stay as they are.

    `actions` bring the other product's alert up to what was mirrored. `rests_on_age`: some notes count as known by
    their age alone, because those of the product that is left were not read.
    """

    old_id: str
    pair: Pair
    standing: Standing
    notes: frozenset[str] | None = None
    news: tuple[Note, ...] = ()
    actions: tuple[Action, ...] = ()
    rests_on_age: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Open alerts of the other product that no pair has: those that are paged, and older ones."""

    new: tuple[Alert, ...] = ()
    old: tuple[Alert, ...] = ()


def moved(found: Found, now: datetime, staleness: timedelta) -> MovedPair | None:
    """The pair as it is after the move; None if its alert was not found."""
    pair, alert = found.pair, found.verdict.alert
    if alert is None:
        return None
    standing = standing_of(found)
    new = replace(
        pair,
        alert_id=alert.id,
        tiny_id=alert.tiny_id or pair.tiny_id,
        alerts=_baseline(pair.alerts, alert, standing),
        alias=alert.alias or pair.alias,
        created_at=alert.created_at,
        next_look_at=now if standing is Standing.NEWS and pair.next_look_at is not None else pair.next_look_at,
    )
    actions = tuple(_catching_up(found, alert, standing, now))
    if found.notes is None:
        return MovedPair(pair.alert_id, new, standing, actions=actions)
    looked_at = (pair.swept_at or alert.created_at) - staleness
    kept = KeptNotes(found.known, found.notes_here, found.mine, looked_at)
    known = known_there(kept, found.notes, now, staleness)
    news = tuple(note for note in found.notes if note.id not in known)
    by_age = rests_on_age(kept, found.notes, staleness)
    return MovedPair(pair.alert_id, new, standing, known, news, actions, by_age)


def entries(move: MovedPair, here: Product, there: Product, now: datetime) -> Iterator[Entry]:
    """The journal's entries about the move of one pair."""
    alert_id = move.pair.alert_id
    was = "" if alert_id == move.old_id else f"; its id was {move.old_id}"
    yield Entry(now, Event.MOVED, alert_id, Side.ALERTS, words=f"moved from {here.name} to {there.name}{was}")
    for action in move.actions:
        yield of_action(action, Event.PLANNED, now, action.reason)


def left_behind(pair: Pair, there: Product, now: datetime) -> Entry:
    """The journal's entry about a pair whose alert the other product does not have."""
    words = f"left behind by the move to {there.name}, which does not have it"
    return Entry(now, Event.MOVED, pair.alert_id, Side.ALERTS, words=words)


def dropped(pair: Pair) -> Pair:
    """A pair whose alert the other product does not have: nothing is said of it, and nothing more is read."""
    return replace(pair, alerts=replace(pair.alerts, open=False, deleted=True), next_look_at=None)


def standing_of(found: Found) -> Standing:
    """How the other product's state relates to the mirrored one.

    An act in its log, or without a log its time stamp, shows whether somebody acted there after all that was
    mirrored.
    """
    base, alert = found.pair.alerts, found.verdict.alert
    if alert is None or found.verdict.match is not Match.DIFFERS:
        return Standing.EQUAL
    if alert.open is False and base.open:
        return Standing.NEWS
    since = last_act(found.mine) or found.pair.created_at or alert.created_at
    times = [act.at for act in found.acts if act.verb in _STATE_VERBS]
    if not found.acts:
        times.append(alert.updated_at)
    if base.snoozed_until is not None and not alert.acknowledged:
        times.append(alert.updated_at)
    return Standing.NEWS if any(at > since for at in times) and base.open else Standing.UNSHARED


def last_act(mine: Iterable[Action], *, states: bool = True) -> datetime | None:
    """When the alert was last changed by an act that was mirrored, or by us; with `states`, only its state."""
    times = []
    for action in mine:
        if action.kind.side is Side.ALERTS and action.sent_at is not None:
            times += [max(action.at, action.sent_at)] if action.kind in _ALERT_STATES or not states else []
        elif action.kind.side is Side.PAGERDUTY and (verb_of(action) in _STATE_VERBS or not states):
            times.append(action.at)
    return max(times, default=None)


def verb_of(action: Action) -> str:
    """The act that caused an action, as its key has it."""
    return action.key.removeprefix(f"{action.kind.value} {action.alert_id} ").partition(" ")[0]


def rekeyed(key: str, kind: str, old_id: str, new_id: str) -> str:
    """An action's key with the alert's new id."""
    prefix = f"{kind} {old_id}"
    return f"{kind} {new_id}{key.removeprefix(prefix)}" if key.startswith(prefix) else key


def work_item(item: WorkItem, new_id: str) -> WorkItem:
    """What waits for a pair, without what a list of the product that is left has shown."""
    request = replace(item.request, row=None, repeated=False, is_new=False, is_baseline=False, alert=True)
    return replace(item, alert_id=new_id, request=request)


def first_looks(pairs: Iterable[MovedPair], now: datetime) -> tuple[WorkItem, ...]:
    """The pairs that the first cycle has to read, because something happened during the move."""
    request = ReadRequest(alert=True, alert_notes=True, all_notes=True)
    return tuple(
        WorkItem(each.pair.alert_id, now, request, Priority.CHANGED, frozenset({Reason.UNSETTLED}))
        for each in pairs
        if each.standing is Standing.NEWS or each.news
    )


def sorted_out(unmatched: Iterable[Alert], since: datetime) -> Unknown:
    """The open alerts that no pair has. `since`: the product that is left was read completely up to then."""
    unknown = sorted((alert for alert in unmatched if alert.open is not False), key=lambda a: (a.created_at, a.id))
    return Unknown(
        tuple(alert for alert in unknown if alert.created_at > since),
        tuple(alert for alert in unknown if alert.created_at <= since),
    )


def baseline_of(alert: Alert, now: datetime) -> Pair:
    """The pair of an alert that pages nobody."""
    state = AlertBaseline(
        alert.open is not False,
        bool(alert.acknowledged),
        alert.updated_at,
        alert.snoozed_until,
        alert.priority,
    )
    return Pair(
        alert.id,
        alert.tiny_id,
        tracked=False,
        alerts=state,
        swept_at=now,
        title=kept_title(alert),
        alias=alert.alias,
        created_at=alert.created_at,
    )


def former_ids(moves: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The other ids that each alert has had, by its present id. `moves` are the present ids by earlier ones."""
    found: dict[str, set[str]] = defaultdict(set)
    for old, new in moves.items():
        found[new].add(old)
    return {new: frozenset(old) for new, old in found.items()}


def is_blind(pairs: Iterable[Pair], missing: Iterable[Pair], *, sees_any: bool) -> bool:
    """Whether so many alerts are missing that the key more probably sees too few."""
    whole, gone = len(tuple(pairs)), len(tuple(missing))
    if not gone:
        return False
    return not sees_any or (whole > 1 and gone >= BLIND_SHARE * whole)


def is_left_open(action: Action) -> bool:
    """Whether the action's outcome must be known before the move.

    The product that is left alone knows what became of a write to it; a creation may have succeeded under the
    present key. A write that is planned is certain not to have happened: it moves.
    """
    if action.kind is Kind.CREATE_INCIDENT:
        return action.status.is_open
    return action.kind.side is Side.ALERTS and action.status is Status.SENT


def _baseline(base: AlertBaseline, alert: Alert, standing: Standing) -> AlertBaseline:
    """The mirrored state with the other product's time stamps.

    Rows older than the baseline count as stale. A stamp of the product that is left could hide rows for ever; one
    that the other product already bears hides only a state that never was news.
    """
    stamp = {
        Standing.EQUAL: alert.updated_at,
        Standing.NEWS: alert.created_at,
        Standing.UNSHARED: max(alert.updated_at, base.updated_at),
    }[standing]
    return replace(base, updated_at=stamp, missing_since=None)


def _catching_up(found: Found, alert: Alert, standing: Standing, now: datetime) -> Iterator[Action]:
    """What is written to the alert: its incident's key where its id is new, and the state that has not arrived."""
    pair = found.pair
    if pair.incident_id is None:
        return
    action = Action("", Kind.ALERT_NOTE, alert.id, "", now, incident_id=pair.incident_id)
    if alert.id != pair.alert_id and alert.id not in found.former:
        words = key_mark(pair.incident_id, pair.alert_id)
        key = f"{Kind.ALERT_NOTE.value} {alert.id} {MOVED} {pair.alert_id}"
        yield replace(action, key=key, reason=MARKED_BECAUSE, person=MOVER, text=words, mark=words)
    if standing is Standing.UNSHARED and pair.alerts.open and alert.open:
        kind = Kind.ALERT_ACKNOWLEDGE if pair.alerts.acknowledged else Kind.ALERT_UNACKNOWLEDGE
        key = f"{kind.value} {alert.id} {MOVED} {pair.alert_id} {now.isoformat()}"
        yield replace(action, key=key, kind=kind, reason=CARRIED_BECAUSE, person=_last_person(found.mine))


def _last_person(mine: Iterable[Action]) -> str:
    """Who changed the state last, as far as it was mirrored."""
    acts = [action for action in mine if verb_of(action) in _STATE_VERBS and action.person]
    return max(acts, key=lambda action: action.at).person if acts else MOVER
