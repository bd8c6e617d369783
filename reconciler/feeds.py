"""What says where to look: each side's change feed, and webhooks.

None of them is taken for the state of anything: what counts is read from the thing itself, by its id.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Act, Incident, Pair, Side
from reconciler.cursors import LogMark, earlier, log_mark, moment
from reconciler.errors import ObjectError, ReconcilerError
from reconciler.logcost import LogCost
from reconciler.looks import Looks
from reconciler.sight import Eyes
from reconciler.store.database import DatabaseDown
from reconciler.vendors.ports import PAGE, LogPage

CHATTER = frozenset(
    {"notify", "reach_ack_limit", "reach_trigger_limit", "repeat_escalation_path", "link", "unlink"}
)
"""Log entries that tell of no change to an incident."""
STAYS_TRIGGERED = frozenset(
    {"trigger", "assign", "escalate", "delegate", "exhaust_escalation_path", "link", "unlink"}
)
"""Log entries that change nothing about an incident which nobody has acknowledged; a new one has several."""
WINDOWS_REFUSED = 3
"""After so many failures in a row a window of the log is given up, and the sweep finds what was in it."""
STRANGERS = 10
"""Incidents that are not ours and are read in one cycle, to see whether they have the key of an alert of ours."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Where something may have happened: an alert's id, or an incident's and the key that it is said to have."""

    side: Side
    id: str
    key: str = ""


class Feeds:
    """One cycle's feeds, which fill its looks, and where the feeds stand afterwards.

    `sweep_now`: something can no longer be had from a feed, so that a sweep is to begin.
    """

    def __init__(self, eyes: Eyes, looks: Looks, log: LogCost, *, busy: bool) -> None:
        self.eyes = eyes
        self.looks = looks
        self.log = log
        self.busy = busy
        self.now = eyes.now
        self.cursors: dict[str, str] = {}
        self.sweep_now = False

    def opsgenie(self, cursors: dict[str, str]) -> None:
        """The list by updatedAt, newest first, down to the watermark less the overlap."""
        staleness = self.eyes.policy.staleness
        watermark = moment(cursors.get("opsgenie"), self.now, earlier(self.now, staleness))
        rows = self.eyes.opsgenie.recent_alerts(earlier(watermark, staleness))
        self.looks.compare_alerts(rows)
        newest = max((row.updated_at for row in rows), default=watermark)
        self.cursors["opsgenie"] = max(min(newest, self.now), watermark).isoformat()
        self.cursors["polled.opsgenie"] = self.now.isoformat()

    def pagerduty(self, cursors: dict[str, str], open_pairs: int) -> None:
        """The account's log, or the service's open incidents, whichever costs fewer requests.

        Where the log is longer than the open set, what is new in it is read for the notes, and the open set for
        the states: a large one every few cycles, and none while pages need the rate and all that is new was read.
        Where the log cannot be had, the open set is read as well: notes are then the sweep's to find.
        """
        staleness = self.eyes.policy.staleness
        mark = log_mark(cursors.get("pagerduty"), self.now, earlier(self.now, staleness))
        open_set = max(1, math.ceil(open_pairs / PAGE))
        log = self._read_log(mark.at, open_set)
        if log is None:
            if self.log.may_list(open_set, self.now) and self._list_open_set():
                self.cursors["polled.pagerduty"] = self.now.isoformat()
                self._log_alone_failed()
            return
        self.log.learn(log, open_set, mark.at)
        suffices = log.whole or (self.busy and self.log.has_news(log, mark.at))
        polled = suffices or not self.log.may_list(open_set, self.now) or self._list_open_set()
        acts = [act for act in log.acts if act.incident_id]
        remembered = self._compare_acts(acts, mark.seen)
        self._compare_strangers(acts)
        newest = max((act.at for act in log.acts), default=mark.at)
        after = LogMark(max(min(newest, self.now), mark.at), frozenset(remembered))
        self.cursors["pagerduty"] = after.stored()
        if polled:
            self.cursors["polled.pagerduty"] = self.now.isoformat()

    def _read_log(self, watermark: datetime, open_set: int) -> LogPage | None:
        """The log since the watermark less the overlap; None when it cannot be had."""
        since = earlier(watermark, self.eyes.policy.staleness)
        try:
            log = self.eyes.pagerduty.log_entries(
                since, lambda log: self.log.enough(log, open_set, since, watermark)
            )
        except DatabaseDown:
            raise
        except ReconcilerError as error:
            self.eyes.failed(Side.PAGERDUTY, error)
            return None
        self.eyes.memory.log_failures = 0
        return log

    def _log_alone_failed(self) -> None:
        """PagerDuty answers, only not for the log.

        A window that stays refused, or is too large to be read, would be so for ever: it is begun anew.
        """
        memory = self.eyes.memory
        memory.log_failures += 1
        if memory.log_failures % WINDOWS_REFUSED == 0:
            self.cursors["pagerduty"] = LogMark(earlier(self.now, self.eyes.policy.staleness)).stored()
            self.sweep_now = memory.log_failures == WINDOWS_REFUSED

    def _compare_acts(self, acts: list[Act], seen: frozenset[str]) -> set[str]:
        """Look where an incident of ours is named; the ids of the entries that did so are remembered."""
        if not acts:
            return set()
        with self.looks.database.reading() as books:
            pairs = books.snapshot.pairs_of_incidents({act.incident_id for act in acts})
        remembered = set()
        for act in acts:
            by_us = act.person is not None and self.eyes.policy.is_echo_of_us(act.person)
            for pair in pairs.get(act.incident_id, ()):
                if by_us or _tells_nothing(act, pair):
                    continue
                remembered.add(act.id)
                if act.id not in seen:
                    look = self.looks.at(pair.alert_id)
                    look.acts.append(act)
                    look.incident_notes = look.incident_notes or act.verb == "annotate"
                    look.incident = look.incident or act.verb != "annotate"
        return remembered

    def _compare_strangers(self, acts: list[Act]) -> None:
        """Incidents that the automation user raised and that are not ours: late second ones of our alerts."""
        policy, memory = self.eyes.policy, self.eyes.memory
        raised = {
            act.incident_id
            for act in acts
            if act.verb == "trigger" and act.person is not None and policy.is_automation(act.person)
        }
        if not raised:
            return
        with self.looks.database.reading() as books:
            raised -= books.snapshot.pairs_of_incidents(raised).keys()
        new = [incident_id for incident_id in sorted(raised) if memory.is_new_stranger(incident_id)]
        for incident_id in new[STRANGERS:]:
            memory.forget_stranger(incident_id)
        for incident_id in new[:STRANGERS]:
            self._compare_stranger(incident_id)

    def _compare_stranger(self, incident_id: str) -> None:
        """One incident that is not ours, by its key. One that is not for us to see is nobody's trouble."""

        def step() -> None:
            try:
                found: Incident | None = self.eyes.pagerduty.incident(incident_id)
            except ObjectError:
                found = None
            if found is not None:
                self.looks.compare_incidents([found])

        if not self.eyes.attempt(Side.PAGERDUTY, step):
            self.eyes.memory.forget_stranger(incident_id)

    def _list_open_set(self) -> bool:
        """Whether the open set could be listed. Where it could not, it may be tried again in the next cycle."""
        if self.eyes.attempt(Side.PAGERDUTY, self._compare_open_set):
            return True
        self.log.not_listed()
        return False

    def _compare_open_set(self) -> None:
        """The other feed: every open incident by value; one that left the list is read by its id."""
        listed = self.eyes.pagerduty.open_incidents()
        self.looks.compare_incidents(listed)
        self.looks.look_for_absent(Side.PAGERDUTY, {incident.id for incident in listed})

    def hinted(self, hints: Collection[Hint]) -> bool:
        """Looks at what we know, on the side that was named; whether an alert is named that we do not know.

        A key that is a known alert's id names its incident, and where it has none, one to be found and adopted.
        Where it has another one, the incident is read: a second one may be open.
        """
        alerts = {hint.id for hint in hints if hint.side is Side.OPSGENIE}
        named = {hint.id: hint.key for hint in hints if hint.side is Side.PAGERDUTY}
        with self.looks.database.reading() as books:
            known = books.snapshot.pairs(alerts | {key for key in named.values() if key})
            ours = books.snapshot.pairs_of_incidents(named)
        for alert_id in [alert_id for alert_id in known if alert_id in alerts and known[alert_id].tracked]:
            look = self.looks.at(alert_id)
            look.alert = look.alert_notes = True
        keyed = [known[key] for key in set(named.values()) & known.keys()]
        for pair in [*(pair for pairs in ours.values() for pair in pairs), *keyed]:
            if pair.incident_id is None:
                self.looks.whole(pair.alert_id).by_key = True
            elif pair.tracked:
                look = self.looks.at(pair.alert_id)
                look.incident = look.incident_notes = True
        for incident_id, key in sorted(named.items()):
            follows = known[key].incident_id if key in known else None
            if follows not in (None, incident_id) and incident_id not in ours:
                self._compare_stranger(incident_id)
        return not alerts <= known.keys()


def _tells_nothing(act: Act, pair: Pair) -> bool:
    triggered = pair.pagerduty is not None and pair.pagerduty.status == "triggered"
    return act.verb in CHATTER or (triggered and act.verb in STAYS_TRIGGERED)
