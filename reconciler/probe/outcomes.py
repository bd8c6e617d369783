"""Steps about acts on an alert: what moves its time of change, what each request's status says, the log."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from reconciler.core.model import Actor
from reconciler.probe.findings import Finding, judged, not_settled
from reconciler.probe.trial import Trial, is_acknowledged
from reconciler.probe.wire import Json, NotSettled, shortened
from reconciler.vendors.json_fields import BadRow, mapping, moment, text

MOVES = 10.0
"""Seconds within which an act must move `updatedAt`."""
ACTS = ("note", "acknowledge", "unacknowledge", "close")
_LINES = {"acknowledge": "acknowledge", "unacknowledge": "unacknowledge", "close": "close"}
"""Acts whose lines the reconciler reads in the log, with the verbs that it must understand."""


def moves_updated_at(trial: Trial) -> Iterator[Finding]:
    """A note, an acknowledgement, its end and a close: whether each moves the alert's `updatedAt`."""
    alerts = trial.alerts
    one = trial.new_alert()
    moved: dict[str, str] = {}
    for act in ACTS:
        before = moment(trial.steady(lambda: alerts.alert(one.id)).get("updatedAt"))
        trial.pause(0.1)
        if act == "note":
            trial.noted(one.id, "moves updatedAt?")
        else:
            trial.acted(one.id, act)
        is_moved, _ = trial.until(partial(_is_later, trial, one.id, before), MOVES)
        moved[act] = "moved" if is_moved else "not moved"
    still = [act for act, word in moved.items() if word == "not moved"]
    yield judged(
        f"{alerts.product}: notes, acknowledgements and closes move updatedAt",
        ", ".join(f"{act}: {word}" for act, word in moved.items()),
        f"{', '.join(still)}: found by the sweep only; set SWEEP_INTERVAL_SECONDS to the delay that is acceptable",
        holds=not still,
    )


def _is_later(trial: Trial, alert_id: str, before: datetime | None) -> bool:
    """Whether the alert's `updatedAt` is later than that."""
    now = moment(trial.alerts.alert(alert_id).get("updatedAt"))
    return now is not None and before is not None and now > before


def requests_and_log(trial: Trial) -> Iterator[Finding]:
    """Each act, and once more in another name: its request's status, the alert afterwards, the line in the log."""
    one = trial.new_alert()
    yield from _accepted(trial, one.id)
    for act in ("acknowledge", "unacknowledge", "close"):
        yield _carried_out(trial, one.id, act)
        yield _repeated(trial, one.id, act)
    yield _note_on_closed(trial, one.id)
    yield from _lines(trial, one.id)


def _accepted(trial: Trial, alert_id: str) -> Iterator[Finding]:
    """A request whose status is asked for at once, and again once it is carried out."""
    alerts = trial.alerts
    reply = alerts.act(alert_id, "acknowledge").needed("an acknowledgement")
    request = text(reply.body.get("requestId"))
    if not request:
        yield not_settled(f"{alerts.product}: an accepted request has an id", "the answer has none", reply.words)
        return
    at_once = alerts.receipt(request)
    kind = at_once.headers.get("X-Opsgenie-Errortype", "")
    outcome, took = trial.until(lambda: alerts.outcome(request))
    trial.receipts[request] = trial.clock.monotonic()
    pending = "known at once" if at_once.ok else f"{at_once.words}{f' ({kind})' if kind else ''}"
    yield judged(
        f"{alerts.product}: the status of an accepted request is known soon, and 404 until then",
        f"at once: {pending}; known after {took:.1f} s" if outcome else f"{pending}; not known after {took:.0f} s",
        "what became of a write is read from the alert instead, after STALENESS_SECONDS",
        holds=bool(outcome) and (at_once.ok or at_once.status == 404),  # noqa: PLR2004 - HTTP
    )
    trial.acted(alert_id, "unacknowledge")
    trial.until(lambda: not is_acknowledged(alerts.alert(alert_id)))


def _carried_out(trial: Trial, alert_id: str, act: str) -> Finding:
    """The status of a request that must succeed, and the alert's state."""
    alerts = trial.alerts
    outcome = trial.acted(alert_id, act)
    shows = {
        "acknowledge": is_acknowledged,
        "unacknowledge": lambda row: bool(row) and not is_acknowledged(row),
        "close": alerts.is_closed,
    }[act]
    done, took = trial.until(lambda: shows(alerts.alert(alert_id)))
    seen = f"the alert shows it after {took:.1f} s" if done else f"no effect within {took:.0f} s"
    if act == "unacknowledge":
        row = trial.steady(lambda: alerts.alert(alert_id))
        times = {"report.ackTime": mapping(row.get("report")), "ackTime": row}
        kept = [name for name, value in times.items() if "ackTime" in value]
        seen += f"; {' and '.join(kept) or 'ackTime'} {'stays' if kept else 'is gone'}"
    return judged(
        f"{alerts.product}: {act} is carried out, and the request's status says so",
        f"{_told(outcome)}; {seen}",
        "the alert itself decides; see `reconciler status` for writes that stay unknown",
        holds=done and outcome.get("isSuccess") is True,
    )


def _repeated(trial: Trial, alert_id: str, act: str) -> Finding:
    """The same act once more: whether it changes anything but the time of change."""
    alerts = trial.alerts
    before = trial.steady(lambda: _state(alerts.alert(alert_id)))
    try:
        told = _told(trial.acted(alert_id, act, f"{alerts.user} again"))
    except NotSettled as refusal:
        told = str(refusal)
    after = trial.steady(lambda: _state(alerts.alert(alert_id)))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return judged(
        f"{alerts.product}: a second {act} changes nothing",
        f"{told}; {'changed: ' + ', '.join(changed) if changed else 'nothing changed'}",
        "an act that crosses with a person's same act has an effect of its own",
        holds=not changed,
    )


def _note_on_closed(trial: Trial, alert_id: str) -> Finding:
    alerts, words = trial.alerts, "a note on a closed alert"
    reply = alerts.note(alert_id, words)
    outcome = trial.settled(text(reply.body.get("requestId"))) if reply.ok else {}
    there = False
    told = _told(outcome) if outcome else "without a request status"
    if reply.ok:
        there, _ = trial.until(lambda: any(row.get("note") == words for row in alerts.notes(alert_id).rows), MOVES)
    return judged(
        f"{alerts.product}: a closed alert takes notes",
        f"{reply.words}; {told}; {'there' if there else 'not there'}",
        "what people say on an incident after its alert was closed does not reach the alert",
        holds=there,
    )


def _lines(trial: Trial, alert_id: str) -> Iterator[Finding]:
    """The log's lines of our acts, as the product's own client reads them."""
    alerts, now = trial.alerts, trial.clock.now()
    trial.until(lambda: len(alerts.log(alert_id).rows) > len(_LINES))
    rows = alerts.log(alert_id).rows
    read: dict[str, Json] = {}
    for row in rows:
        try:
            act = alerts.parse_act(row, now)
        except BadRow:
            continue
        if act.verb in _LINES and act.actor is Actor.PERSON:
            read[act.verb] = row
    quoted = {
        verb: f'{verb}: "{shortened(text(row.get("log")), 60)}" by {trial.alert_user.form(text(row.get("owner")))}'
        for verb, row in read.items()
    }
    unread = [verb for verb in _LINES if verb not in read]
    others = [shortened(text(row.get("log")), 60) for row in rows if row not in read.values()]
    seen = "; ".join(quoted[verb] for verb in _LINES if verb in quoted)
    yield judged(
        f"{alerts.product}: the log names who acknowledged, took that back, and closed",
        seen + (f"; lines not understood: {others[:6]}" if unread else ""),
        f'{", ".join(unread) or "these acts"}: notes on the incident say "somebody"',
        holds=not unread,
    )


def _told(outcome: Json) -> str:
    if not outcome:
        return "the request's status is not known"
    is_success = outcome.get("isSuccess")
    done = "success" if is_success is True else "failed" if is_success is False else "neither success nor failure"
    return f'{done} "{shortened(text(outcome.get("status")), 80)}"'


def _state(row: Json) -> Json:
    """What an act could change, besides the time of change."""
    return {
        name: row.get(name)
        for name in ("status", "acknowledged", "owner", "report", "ackTime", "closeTime", "count")
    }
