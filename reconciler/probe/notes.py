"""Steps about notes, on both sides: ids, order, authors, and what remains of a text."""

from collections.abc import Callable, Iterator

from reconciler.core.text import TITLE_LIMIT
from reconciler.probe.findings import Finding, judged
from reconciler.probe.incidents import kind_of, telling
from reconciler.probe.trial import Trial
from reconciler.probe.wire import Reply
from reconciler.vendors.integration_api import NOTE_LIMIT
from reconciler.vendors.json_fields import mapping, moment, text

ODD = 'Grüße, 日本 🚒 «x» "q" & <b>\n  second line\twith a tab'
"""A text with what is often changed on the way: several scripts, an emoji, quotes, markup, a line, a tab."""
ADDED = 3
"""How many notes an alert gets before they are read."""
LOGGED = 300
"""The length of the note that is looked for in the log."""
LENGTHS = (20_000, 10_000, 5_000, 2_000, 1_000, 500)
"""The lengths that are tried one after the other where the longest is refused."""


def notes_of_alerts(trial: Trial) -> Iterator[Finding]:
    """Notes of an alert: whether their ids are the same at each read, their order, pages, authors, texts."""
    alerts = trial.alerts
    one = trial.new_alert()
    trial.noted(one.id, ODD)
    for number in range(2, ADDED + 1):
        trial.pause(0.1)  # each has a time of its own
        trial.noted(one.id, f"note {number}")
    trial.until(lambda: min(len(alerts.notes(one.id).rows) for _copy in range(2)) == ADDED)
    first, again, single = alerts.notes(one.id), alerts.notes(one.id), alerts.notes(one.id, size=1)
    keys, product = (
        [[alerts.note_key(row) for row in each.rows] for each in (first, again, single)],
        alerts.product,
    )
    same = len({*map(frozenset, keys)}) == 1
    yield judged(
        f"{product}: a note's {alerts.dialect.note_id} is the same at each read and page size",
        f"{len(keys[0])}, {len(keys[1])} and {len(keys[2])} notes; {'the same' if same else 'different'} ids",
        "nothing follows: notes are recognised by their words and time",
        holds=same and len(keys[0]) == ADDED,
    )
    stamps = [at for row in first.rows if (at := moment(row.get("createdAt")))]
    orders = {"newest first": sorted(stamps, reverse=True), "oldest first": sorted(stamps)}
    order = next((name for name, listed in orders.items() if stamps == listed), "no order")
    asked = bool(alerts.dialect.newest)
    yield judged(
        f"{product}: notes are listed {'in the order that is asked for' if asked else 'in whatever order'}",
        f"{order}; the last page has {'a' if first.ends_with_next else 'no'} next one",
        "all notes are read instead of the newest page: more requests",
        holds=not asked or order == "newest first",
    )
    owners = sorted({trial.alert_user.form(text(row.get("owner"))) for row in first.rows})
    expected = {*trial.alert_user.forms.values()}
    yield judged(
        f"{product}: a note's owner is who added it",
        " and ".join(owners),
        "our own notes are recognised by their mark alone",
        holds=bool(owners) and {*owners} <= expected,
    )
    texts = [text(row.get("note")) for row in first.rows]
    yield _unchanged(product, ODD in texts, next((each for each in texts if "Gr" in each), ""))
    yield _longest(product, lambda length: _note_of(trial, one.id, length), "an alert")


def notes_of_incidents(trial: Trial) -> Iterator[Finding]:
    """Notes of an incident: their order, their texts, and how long they may be; how long a title may be."""
    incidents = trial.incidents
    incident_id = text(trial.new_incident().get("id"))
    for words in (ODD, "note 2"):
        incidents.note(incident_id, words).needed("a note")
        trial.pause(1.1)  # PagerDuty's times have whole seconds
    found, _ = trial.until(lambda: found if len(found := incidents.notes(incident_id)) > 1 else [])
    texts = [text(row.get("content")) for row in found]
    ids = [text(row.get("id")) for row in found]
    yield judged(
        "PagerDuty: each note has an id, the same at each read",
        f"{len(ids)} notes, {'newest first' if texts[:1] == ['note 2'] else 'oldest first'}",
        "our notes are recognised by their marks alone",
        holds=bool(ids) and all(ids) and {*ids} == {text(row.get("id")) for row in incidents.notes(incident_id)},
    )
    yield _unchanged("PagerDuty", ODD in texts, next((each for each in texts if "Gr" in each), ""))
    yield _logged(trial, incident_id)

    def kept(length: int) -> tuple[Reply, int]:
        reply = incidents.note(incident_id, "x" * length)
        return reply, len(text(mapping(reply.body.get("note")).get("content")))

    yield _longest("PagerDuty", kept, "an incident")
    reply = incidents.create(body=NOTE_LIMIT)
    yield judged(
        f"PagerDuty: a body of {NOTE_LIMIT} characters is accepted",
        reply.words,
        "a page with long details is sent in its plainest form, and the details follow in a note",
        holds=reply.ok,
    )
    reply = incidents.create(length=TITLE_LIMIT)
    length = len(text(mapping(reply.body.get("incident")).get("title")))
    yield judged(
        f"PagerDuty: a title of {TITLE_LIMIT} characters is accepted",
        f"{reply.words}, {length} characters are kept" if reply.ok else reply.words,
        "a page with a long title is sent in its plainest form",
        holds=reply.ok and length == TITLE_LIMIT,
    )


def _logged(trial: Trial, incident_id: str) -> Finding:
    """Whether a note is in the incident's log, whole or cut, and whether it moves the incident's `updated_at`."""
    incidents, words = trial.incidents, "logged ".ljust(LOGGED, "x")
    shown = incidents.incident(incident_id)
    before = incidents.own_log(incident_id)
    trial.pause(1.1)  # PagerDuty's times have whole seconds
    incidents.note(incident_id, words).needed("a note")
    found, took = trial.until(
        lambda: [row for row in telling(incidents.own_log(incident_id), before) if kind_of(row) == "annotate"]
    )
    texts = [text(mapping(row.get("channel")).get("summary")) for row in found]
    logged = f"with {max(map(len, texts))} of {LOGGED} characters" if found else f"not within {took:.0f} s"
    is_moved = incidents.incident(incident_id).get("updated_at") != shown.get("updated_at")
    return judged(
        "PagerDuty: a note is in the incident's log",
        f"{logged}; updated_at {'moved' if is_moved else 'not moved'}",
        "engineers' notes are found by the sweep only",
        holds=bool(found),
    )


def _note_of(trial: Trial, alert_id: str, length: int) -> tuple[Reply, int]:
    """Add a note of this length to the alert; the answer, and how much of it is kept."""
    words = f"{length} ".ljust(length, "x")
    reply = trial.alerts.note(alert_id, words)
    if not reply.ok:
        return reply, 0
    trial.settled(text(reply.body.get("requestId")))

    def kept() -> int:
        found = (text(row.get("note")) for row in trial.alerts.notes(alert_id).rows)
        return max((len(each) for each in found if each.startswith(words[:10])), default=0)

    return reply, trial.until(kept)[0]


def _longest(vendor: str, add: Callable[[int], tuple[Reply, int]], what: str) -> Finding:
    """Whether the longest note that the reconciler sends is accepted whole; if not, which one is."""
    reply, kept = add(NOTE_LIMIT)
    seen = f"{NOTE_LIMIT}: {reply.words}" + (f", {kept} characters are kept" if reply.ok else "")
    holds = reply.ok and kept == NOTE_LIMIT
    for length in () if holds else LENGTHS:
        reply, kept = add(length)
        if reply.ok and kept >= length:
            seen += f"; {length} are accepted"
            break
    return judged(
        f"{vendor}: a note on {what} may have {NOTE_LIMIT} characters",
        seen,
        "a longer note is sent in parts",
        holds=holds,
    )


def _unchanged(vendor: str, is_there: bool, found: str) -> Finding:
    """Whether the odd text is there as it was sent; if not, which characters differ."""
    lost = "".join(
        dict.fromkeys(character for character in ODD if character not in found and character.isprintable())
    )
    return judged(
        f"{vendor}: a note's text is not changed",
        "unchanged"
        if is_there
        else f"changed; no longer there: {lost or 'nothing printable'}"
        if found
        else "not found",
        "our notes are recognised by their ids and marks; what is changed is changed for readers as well",
        holds=is_there,
    )
