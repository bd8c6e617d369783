"""What Opsgenie says of the writes that it has accepted: asked where their effect does not show as ours."""

from dataclasses import replace

from reconciler.core import outcomes, text
from reconciler.core.model import Act, Action, Kind, Receipt, Side, Sighting, Status, since_last
from reconciler.errors import Missing
from reconciler.reading import Reading

_ANSWERED = frozenset({Status.DONE, Status.DROPPED})


def ask(reading: Reading, seen: Sighting, may_ask: frozenset[int] | None) -> Sighting:
    """Receipts of the writes in doubt that do not show, or that show under another name than the one we gave.

    `may_ask`: the actions that may be asked about in this cycle, None for all; else the last answer serves.
    """
    asked = [action for action in unanswered(reading, seen) if action.request_id]
    asked += [a for a in seen.mine if _is_under_another_name(a, seen) and a not in asked]
    return _with(reading, seen, asked, may_ask)


def ask_of_the_undone(reading: Reading, seen: Sighting, may_ask: frozenset[int] | None) -> Sighting:
    """Receipts of un-acknowledgements that the alert's log names another for: only that names who did it."""
    have = {receipt.action_id for receipt in seen.receipts}
    first = _first(seen.alert_acts, "unacknowledge", "acknowledge")
    sent = [a for a in seen.mine if a.kind is Kind.OPSGENIE_UNACKNOWLEDGE and _is_accepted(a) and a.id not in have]
    named = [a for a in sent if first is not None and not text.is_same_name(first, a.person)]
    return _with(reading, seen, named, may_ask)


def unanswered(reading: Reading, seen: Sighting) -> list[Action]:
    """Our writes in doubt that were looked for and do not show."""
    sent = [a for a in seen.mine if a.status is Status.SENT and a.kind in seen.looked]
    answers = [(action, outcomes.settle(action, seen, reading.policy, reading.now)) for action in sent]
    return [action for action, answer in answers if answer is None or answer.status not in _ANSWERED]


def _with(reading: Reading, seen: Sighting, asked: list[Action], may_ask: frozenset[int] | None) -> Sighting:
    found = [_receipt(reading, action, may_ask) for action in asked]
    return replace(seen, receipts=(*seen.receipts, *(receipt for receipt in found if receipt is not None)))


def _receipt(reading: Reading, action: Action, may_ask: frozenset[int] | None) -> Receipt | None:
    memory = reading.memory
    if may_ask is not None and action.id not in may_ask:
        return memory.last_answer(action.id)
    try:
        status = reading.read(
            Side.OPSGENIE, None, action.alert_id, lambda: reading.opsgenie.request_status(action.request_id)
        )
    except Missing:
        memory.asked(action.id, None, reading.now)
        return None
    if status is None:  # it could not be asked
        return memory.last_answer(action.id)
    receipt = Receipt(action.id, status.done, status.at, status.detail)
    memory.asked(action.id, receipt, reading.now)
    return receipt


def _is_accepted(action: Action) -> bool:
    return action.status is Status.SENT and bool(action.request_id)


def _is_under_another_name(action: Action, seen: Sighting) -> bool:
    """Whether the alert is acknowledged as we asked for, and shows another name for it."""
    if action.kind is not Kind.OPSGENIE_ACKNOWLEDGE or not _is_accepted(action) or seen.alert is None:
        return False
    shown = seen.alert.acknowledged_by
    return bool(seen.alert.acknowledged and shown) and not text.is_same_name(shown, action.person)


def _first(acts: tuple[Act, ...], verb: str, opposite: str) -> str | None:
    """Who did it first since the opposite was done; None where nobody is named."""
    people = [act.person for act in since_last(opposite, acts) if act.verb == verb and act.person is not None]
    return people[-1].name if people else None
