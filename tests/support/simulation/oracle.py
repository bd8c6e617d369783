"""What must hold for every history once all faults are over: the audit, and checks that only a run allows."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.core.model import Status
from reconciler.core.retry import LONGEST_FOR_PATH
from reconciler.sandbox.audit import Knowledge, cases
from reconciler.sandbox.audit import findings as audited
from tests.support.simulation.schedule import FOR_HOURS, LATE, LONG_ONES, SETTINGS, STALENESS
from tests.support.simulation.world import AWAKE, Outcome

WRITES_FOR_EACH = 4
WRITES_FOR_LASTING = 40
"""Retries that each waiting action explains while a fault lasts, with a growing back-off."""
WRITES_FOR_HOURS = 3 * int(AWAKE / LONGEST_FOR_PATH.total_seconds())
"""The same for each alert where a fault lasts for hours, of which the process is awake for some minutes."""
IN_DOUBT = timedelta(seconds=STALENESS + LATE)
"""How long it may take until the outcome of a write is certain."""
OLD = timedelta(seconds=20)
"""How long an act may stay unseen where reads by id are stale."""
IN_FLIGHT = timedelta(seconds=1.1)
"""The time between our read and our write in which a resolution is not seen: no write is conditional."""
IN_QUEUE = frozenset({
    "queued", "fails_later", "forgotten", "forgotten_failure", "og_blind", "og_halted", "og_failing", *FOR_HOURS,
})  # fmt: skip
"""What may happen to a write between its acceptance by Opsgenie and its effect."""


def findings(outcome: Outcome) -> list[str]:
    """All findings, one line each; empty when nothing is wrong."""
    found = audited(outcome.state, knowledge_of(outcome))
    return [*_of_the_run(outcome), *(f"{each.kind} {each.what} ({each.about})" for each in found)]


def _of_the_run(outcome: Outcome) -> Iterator[str]:
    yield from (f"BROKEN {line}" for line in outcome.broken)
    yield from (f"NOT QUIET {line}" for line in outcome.quiet_writes)
    for status, count in outcome.ledger.items():
        if status in (Status.PLANNED, Status.SENT, Status.DEAD):
            yield f"LEFT {count} {status}"
    most = _most_writes(outcome)
    if outcome.writes > most:
        yield f"STORM {outcome.writes} writes, at most {most} are explained"


def _most_writes(outcome: Outcome) -> int:
    """The number of writes that acts, faults and the vendors' own behaviour explain."""
    pairs = [case for case in cases(outcome.state, knowledge_of(outcome)) if case.alert["id"]]
    pairs = [case for case in pairs if not case.was_there_before]
    machine = sum(event.who == "" for case in pairs for event in case.events)
    most = WRITES_FOR_EACH * (len(outcome.acted) + len(outcome.fired) + machine)
    most += WRITES_FOR_LASTING * sum(fault.what in LONG_ONES for fault in outcome.fired)
    return most + WRITES_FOR_HOURS * len(pairs) * sum("hours" in fault.what for fault in outcome.fired)


def knowledge_of(outcome: Outcome) -> Knowledge:
    """What the audit needs to know about a simulated run."""
    settings = SETTINGS.get(outcome.history.setting, {})
    lags = [float(str(settings.get(name, 0.0))) for name in ("list_lag", "log_lag", "write_lag")]
    kinds = [(fault.kind, fault.what) for fault in outcome.fired]
    unseen = IN_FLIGHT + timedelta(seconds=LATE if ("pd.status", "late") in kinds else 0)
    return Knowledge(
        looks=tuple(_time(began) for began, calm in outcome.windows if calm),
        first_looks={incident: _time(at) for incident, at in outcome.first_looks.items()},
        lag=timedelta(seconds=max(lags) + 1.5),
        lists_lag=outcome.history.setting == "slow",
        origins=tuple((_time(began), _time(since)) for began, since in outcome.origins),
        lost_at=_time(outcome.lost_at) if outcome.lost_at else None,
        doubt=IN_DOUBT if len(kinds) > bool(outcome.lost_at) else timedelta(0),
        creation_is_late=any(kind == "pd.create" and what.startswith("late") for kind, what in kinds),
        late_states=sum(kind == "pd.status" and what.startswith("late") for kind, what in kinds),
        unseen=unseen + (OLD if outcome.fired_in({"both_old"}) else timedelta(0)),
        queue_reorders=outcome.fired_in(IN_QUEUE),
        may_resolve=False,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
