"""A history as data: people's acts and faults, each with its place. A history always runs the same.

A fault has the kind of a step and the number of its occurrence, so that a history keeps its meaning when steps are
added elsewhere. An act has a cycle and a step within it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.sandbox import faults
from reconciler.sandbox.settings import UNACKNOWLEDGE_WAYS
from tests.support.in_process import SOURCES

CYCLES = 8
POLL = 10.0
STALENESS = 60.0
SWEEP = 40.0
LATE, TOO_LATE = 25.0, 95.0
"""Seconds after which a late effect lands: within the staleness bound, and beyond it."""

SCOPED_FAULTS = True
"""Whether the faults include answers about the account, one object or the network path."""

ANSWERS = {
    "1008": faults.Fault("400", code=1008), "400": faults.Fault("400"), "402": faults.Fault("402"),
    "403": faults.Fault("403"), "404": faults.Fault("404"), "html_302": faults.Fault("html_302"),
    "html_404": faults.Fault("html_404"), "html_407": faults.Fault("html_407"),
}  # fmt: skip
"""Answers to a single call whose cause lies outside that call; none of them takes effect."""
LASTING: dict[str, Mapping[str, Any]] = {
    "og_blind": {"blind": True}, "og_halted": {"queue_halted": True}, "og_failing": {"writes_fail": True},
    "og_object": {"refused_alerts": "first"}, "pd_object": {"refused_incidents": "first"},
    "pd_1008": {"user_gone": True}, "pd_402": {"plan_lacks_ability": True}, "pd_own_log": {"own_log_lag": 45.0},
    "both_old": {"detail_lag": 15.0},
}  # fmt: skip
"""Settings of the sandbox that last for LONG cycles, less than any bound; `first` is the first alert's id."""
STANDING = {
    "og_proxy": faults.Fault("html_302", vendor="opsgenie", times=0),
    "pd_proxy": faults.Fault("html_407", vendor="pagerduty", times=0),
    "pd_log_400": faults.Fault("400", vendor="pagerduty", path="/log_entries", times=0),
    "pd_log_500": faults.Fault("500", vendor="pagerduty", path="/log_entries", times=0),
}
"""Faults of the sandbox that last for as long."""
HOURS = "_for_hours"
FOR_HOURS = tuple(f"{what}{HOURS}" for what in ("og_blind", "og_halted", "pd_1008", "pd_402", "pd_proxy"))
"""Faults that last for three hours: longer than the bounds on the vendors' delays, too short to give up."""
LONG = 3
LONG_ONES = (*LASTING, *STANDING, *FOR_HOURS)
SCOPED = frozenset({*ANSWERS, *LONG_ONES})


def _scoped(*whats: str) -> tuple[str, ...]:
    return whats if SCOPED_FAULTS else ()


_ANY = (
    "crash_before",
    "crash_after",
    "drop",
    "hang",
    "500",
    "503",
    "429",
    "429_bare",
    "401",
    "truncated",
    "empty",
)
_READ = (*_ANY, "html", "down")
_LIST = (*_READ, "stale", "skip", "repeat")
_WRITE = (
    "crash_before", "crash_after", "refused", "drop_before", "drop_after", "hang_before", "hang_after", "late",
    "500_before", "500_after", "429", "429_bare", "401", "truncated_after", "empty_after", "html_after",
)  # fmt: skip
_PATH = _scoped("402", "html_302", "html_404", "html_407")
_ACCEPTED = (*_WRITE, "fails_later", "forgotten", "forgotten_failure", "queued", *_PATH, *_scoped("403", "404"))
_TO_INCIDENT = (*_WRITE, *_PATH, *_scoped("1008", "403", "404"))
_COMMIT = ("crash_before", "crash_after", "busy", "full")

KINDS: dict[str, tuple[str, ...]] = {
    "og.list": _LIST, "og.open": _LIST, "og.alert": (*_READ, *_scoped("403", "404")),
    "og.notes": (*_READ, *_scoped("404")), "og.logs": _READ,
    "og.request": (*_READ, "pending", "unknown"),
    "og.ack": _ACCEPTED, "og.unack": _ACCEPTED, "og.note": _ACCEPTED,
    "pd.log": (*_LIST, *_scoped("400")), "pd.open": (*_LIST, *_scoped("400")), "pd.by_key": _READ,
    "pd.incident": (*_READ, *_scoped("403", "404")), "pd.notes": _READ,
    "pd.acts": _READ, "pd.who": _READ,
    "pd.create": (*_WRITE, *_PATH, *_scoped("1008", "400", "403", "404")),
    "pd.status": _TO_INCIDENT, "pd.note": _TO_INCIDENT,
    "db.intake": (*_COMMIT, "lost"), "db.plan": (*_COMMIT, "lost"), "db.kept": _COMMIT,
    "db.sent": _COMMIT, "db.accepted": _COMMIT, "db.settled": _COMMIT,
    "db.doubt": _COMMIT,
    "cycle": ("og_gone", "pd_gone", "og_gone_for_hours", "pd_gone_for_hours", "og_401", "pd_401", "db_busy",
              "db_lost", "ahead", "back", "far_ahead", *_scoped(*LONG_ONES)),
}  # fmt: skip
"""What may go wrong at a step of each kind."""
OCCASIONS = {
    "og.request": (("og.note", "queued"), ("og.note", "fails_later"), ("og.ack", "queued")),
    "pd.acts": (("pd.status", "500_before"), ("pd.status", "late")),
}
"""Steps that are taken only after another fault, and which faults lead to them."""
BEYOND = ("late_beyond", "queued_beyond")
"""Effects that land beyond the staleness bound: these may do harm, and have tests of their own."""


OPSGENIE, JSM, JSM_NAMED = SOURCES


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """At the `nth` step of this kind (from 0), `what` happens."""

    kind: str
    nth: int
    what: str


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """A person's act in this cycle, at this step of it or at its end.

    `side` og or pd; `alert` counts from 0 in the order of creation; `who` 0 or 1; `text` of a note, or what
    else the verb needs.
    """

    cycle: int
    step: int
    side: str
    verb: str
    alert: int = 0
    who: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Everything that decides a run.

    `setting` names one of SETTINGS, or of WRONG_SET_UPS; `assumption`, one of ASSUMPTIONS. `source`, one of
    SOURCES, is where alerts are raised.
    Before the cycles of `glances`, webhooks name every alert and incident to the fast path.
    """

    acts: tuple[Act, ...]
    faults: tuple[Fault, ...] = ()
    setting: str = "plain"
    seed: int = 1
    glances: tuple[int, ...] = ()
    source: str = OPSGENIE
    assumption: str = ""

    @property
    def vendor(self) -> str:
        """The sandbox's name of the product that raises the alerts."""
        return "opsgenie" if self.source == OPSGENIE else "jsm"

    @property
    def cycles(self) -> int:
        """The number of cycles with acts and faults."""
        return max(CYCLES, *(act.cycle + 1 for act in self.acts))

    def but(self, *faults: Fault) -> "History":
        """The same with other faults."""
        return replace(self, faults=faults)


SETTINGS: dict[str, dict[str, object]] = {
    "plain": {},
    "slow": {"write_lag": 4.0, "list_lag": 15.0, "log_lag": 12.0},
    "timeouts": {"acknowledgement_timeout": 35.0},
    "easy_retrigger": {"unacknowledge_ways": UNACKNOWLEDGE_WAYS, "write_lag": 1.5},
    "silent_notes": {"notes_bump_updated_at": False},
}
"""Variants of the vendors' behaviour, as settings of the sandbox."""
WRONG_SET_UPS: dict[str, dict[str, object]] = {"bot_on_call": {"bot_on_call": True}}
"""Variants for single histories: accounts with a wrong set-up."""


DETAILS = "the disk is full"
STORY = History(
    (
        Act(0, 3, "og", "create", text=DETAILS),
        Act(0, 3, "og", "create", text=DETAILS),
        Act(1, 2, "og", "note", 0, 0, "any news?"),
        Act(1, 2, "og", "note", 0, 0, "any news?"),
        Act(1, 4, "pd", "acknowledge", 1),
        Act(2, 1, "og", "acknowledge", 0),
        Act(2, 4, "pd", "note", 0, 0, "on it"),
        Act(3, 1, "og", "unacknowledge", 0),
        Act(3, 2, "pd", "unacknowledge", 1),
        Act(3, 6, "og", "note", 1, 1, "any news?"),
        Act(4, 2, "pd", "note", 1, 1, "on it"),
        Act(4, 2, "pd", "note", 1, 1, "on it"),
        Act(4, 7, "og", "acknowledge", 0, 1),
        Act(5, 9, "pd", "acknowledge", 0, 1),
        Act(5, 4, "og", "close", 1),
        Act(6, 2, "pd", "note", 1, 0, "checking"),
        Act(6, 3, "pd", "resolve", 0),
        Act(6, 5, "og", "note", 0, 1, "thanks"),
        Act(6, 9, "pd", "merge", 1),
        Act(7, 1, "pd", "note", 0, 0, "done"),
        Act(7, 2, "pd", "note", 1, 1, "after the merge"),
        Act(7, 9, "og", "create", text=DETAILS),
    )
)
"""The canned story: every mapping row, equal notes, a note after the resolution, a close and a merge."""

ODD = {
    "priority": History(
        (
            Act(0, 3, "og", "create"),
            Act(3, 0, "og", "priority", 0, 0, "P1"),
            Act(6, 0, "og", "priority", 0, 1, "P2"),
        )
    ),
    "unpaged": History(
        (Act(0, 3, "og", "create"), Act(0, 3, "og", "priority", 0, 0, "P1")), setting="bot_on_call"
    ),
    "twin": History((Act(0, 3, "og", "create"), Act(2, 0, "pd", "merge", 0, 1), Act(5, 0, "pd", "reopen", 0, 1))),
    "details": History((Act(0, 3, "og", "create", text=DETAILS),), (Fault("og.alert", 0, "down"),)),
    "follow": History(
        (Act(0, 3, "og", "create"), Act(2, 9, "pd", "resolve")), (Fault("pd.create", 0, "late_beyond"),)
    ),
    "refused details": History((Act(0, 3, "og", "create", text=DETAILS),), (Fault("pd.create", 0, "400"),)),
    "urgency": History(
        (
            Act(0, 3, "og", "create"),
            Act(2, 0, "pd", "resolve"),
            Act(4, 1, "og", "priority", 0, 0, "P2"),
            Act(6, 0, "pd", "reopen"),
        )
    ),
    "late acknowledgement": History(
        (
            Act(0, 3, "og", "create"),
            Act(2, 0, "og", "acknowledge"),
            Act(2, 9, "pd", "acknowledge", 0, 1),
            Act(3, 0, "pd", "unacknowledge", 0, 1),
        ),
        (Fault("pd.status", 0, "late"),),
    ),
}
"""Stories for what the canned one lacks, by the row of the mapping: a priority raised twice, an incident that
pages nobody at first, a merged incident that is reopened, details that cannot be read when the alert pages, a late
second incident, details that PagerDuty refuses, a priority raised while the incident is resolved, and an
acknowledgement of ours that lands after it was taken back."""

APART = 4
"""Cycles between two acts on an alert of the spaced story; each has an undisturbed read before and after it."""
LIVES = (
    ("og acknowledge 0", "og unacknowledge 1"),
    ("pd acknowledge 0", "pd unacknowledge 1"),
    ("og acknowledge 0", "pd unacknowledge 1", "og acknowledge 1"),
    ("pd resolve 0", "pd reopen 1", "pd acknowledge 0"),
    ("pd acknowledge 1", "og unacknowledge 0", "og close 1"),
)
"""The acts on each alert of the spaced story, and the side that each comes from."""


def _spaced(lives: tuple[tuple[str, ...], ...]) -> Iterator[Act]:
    for alert, life in enumerate(lives):
        yield Act(0, 3, "og", "create")
        for turn, act in enumerate(life, 1):
            side, verb, who = act.split()
            yield Act(turn * APART, 1 + alert, side, verb, alert, int(who))


SPACED = History(tuple(sorted(_spaced(LIVES))))
"""Every act that changes a state, alone and each as some alert's last, so that the expected end is unambiguous."""
GLANCED = replace(SPACED, glances=tuple(range(SPACED.cycles)))
"""The same with webhooks before every cycle, where the logs are always read for who acted."""
