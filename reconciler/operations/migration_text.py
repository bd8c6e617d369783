"""What `reconciler migrate` prints of an examination: lines, and one JSON document."""

from typing import Any

from reconciler.core.matching import Match
from reconciler.core.migration import Found, MovedPair, Standing
from reconciler.core.model import Alert, Pair
from reconciler.core.text import shortened
from reconciler.observability.logs import printable
from reconciler.observability.naming import counted, pair_name
from reconciler.operations.migrating import Examination, is_news
from reconciler.operations.story import stamp

ACTED = {
    Standing.NEWS: "its state was changed in {there} since: the first cycle mirrors that",
    Standing.UNSHARED: "its state in {here} has not reached {there}: it is carried over",
}


def as_lines(seen: Examination) -> list[str]:
    """The examination, without what keeps the move from being made; unprintable characters are escaped."""
    counts = ", ".join(f"{seen.counts[match]} {match.value}" for match in Match if seen.counts[match])
    lines = [f"{counted(len(seen.found), 'pair')}" + (f": {counts}" if counts else "")]
    moved = {each.old_id: each for each in seen.moved}
    lines += [line for each in seen.found if (line := _line(each, moved.get(each.pair.alert_id), seen))]
    lines += [f"  new        {_alert(alert)}: the first cycle pages for it" for alert in seen.unknown.new]
    lines += [f"  unknown    {_alert(alert)}" for alert in seen.unknown.old]
    if seen.settles_at is not None:
        lines.append(
            f"What was mirrored a moment ago may not show in {seen.there.name} before {stamp(seen.settles_at)}"
        )
    if seen.ahead is None:
        lines.append(
            f"{seen.here.name} was not read: what was done there alone since the last poll will not be mirrored"
        )
    return [printable(line) for line in lines]


def obstacle_lines(seen: Examination) -> list[str]:
    """One line for each thing that keeps the move from being made, with what to do about it."""
    return [f"{each.words}; {each.remedy}" for each in seen.obstacles]


def as_data(seen: Examination) -> dict[str, Any]:
    """The same as JSON."""
    moved = {each.old_id: each for each in seen.moved}
    return {
        "from": seen.here.key,
        "to": seen.there.key,
        "at": seen.now.isoformat(),
        "verdicts": {match.value: seen.counts[match] for match in Match},
        "pairs": [
            _pair(each, moved.get(each.pair.alert_id))
            for each in seen.found
            if each.verdict.match is not Match.SAME or _has_news(moved.get(each.pair.alert_id))
        ],
        "new": [_of_alert(alert) for alert in seen.unknown.new],
        "unknown": [_of_alert(alert) for alert in seen.unknown.old],
        "changed_since_last_poll": None if seen.ahead is None else list(seen.ahead),
        "settles_at": seen.settles_at.isoformat() if seen.settles_at else None,
        "obstacles": [{"kind": each.kind, "words": each.words, "remedy": each.remedy} for each in seen.obstacles],
    }


def _line(each: Found, moved: MovedPair | None, seen: Examination) -> str:
    """The line of a pair that is not simply the same; empty for one that is."""
    match = each.verdict.match
    if match is Match.SAME and not _has_news(moved):
        return ""
    words = []
    if moved is not None and moved.pair.alert_id != moved.old_id:
        words.append(f"is {moved.pair.alert_id} in {seen.there.name}")
    if moved is not None and moved.standing in ACTED:
        words.append(ACTED[moved.standing].format(here=seen.here.name, there=seen.there.name))
    if moved is not None and moved.news:
        words.append(f"{counted(len(moved.news), 'note')} to be mirrored")
    if match is Match.MISSING and not _is_blocking(each.pair, seen):
        words.append("is over or pages nobody: no longer read")
    said = f": {'; '.join(words)}" if words else ""
    return f"  {match.value:<10} {pair_name(each.pair.alert_id, each.pair)}{said}"


def _is_blocking(pair: Pair, seen: Examination) -> bool:
    return pair in seen.missing


def _has_news(moved: MovedPair | None) -> bool:
    return moved is not None and is_news(moved)


def _alert(alert: Alert) -> str:
    return f'#{alert.tiny_id} "{shortened(alert.message)}", raised at {stamp(alert.created_at)}'


def _of_alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "alert": alert.tiny_id,
        "title": shortened(alert.message),
        "created_at": alert.created_at.isoformat(),
    }


def _pair(each: Found, moved: MovedPair | None) -> dict[str, Any]:
    return {
        "alert_id": each.pair.alert_id,
        "alert": each.pair.tiny_id,
        "title": shortened(each.pair.title),
        "incident_id": each.pair.incident_id,
        "verdict": each.verdict.match.value,
        "new_alert_id": moved.pair.alert_id if moved else None,
        "state": moved.standing.value if moved else None,
        "notes_to_mirror": len(moved.news) if moved else 0,
        "among": list(each.verdict.among),
    }
