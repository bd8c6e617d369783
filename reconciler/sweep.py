"""The sweep: every open thing on both sides is listed once in an interval, and every open pair's notes are read.

What is over is looked at ever more seldom. How far a listing has come is kept in mind only: after a restart the
next one begins when it is due.
"""

import json
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from reconciler.core.model import Pair, Side
from reconciler.cursors import earlier, moment, moments, place
from reconciler.looks import Looks
from reconciler.sight import Eyes
from reconciler.vendors.ports import PAGE

_MOST_DOUBLINGS = 32


@dataclass(slots=True)
class Listing:
    """How far a side's open things have been listed in this sweep, and which they were."""

    offset: int = 0
    listed: set[str] = field(default_factory=set)


class Sweep:
    """One listing of every open thing on both sides, a few pages in each cycle."""

    def __init__(self) -> None:
        self._under_way: dict[Side, Listing] = {}

    def is_due(self, started: datetime, before: datetime) -> bool:
        """Whether a new one should begin: the last began before that, and is over."""
        return not self._under_way and started <= before

    def begin(self) -> None:
        """Begin with both sides' first pages."""
        self._under_way = {side: Listing() for side in Side}

    def listing(self, side: Side) -> Listing | None:
        """The side's listing while it is under way."""
        return self._under_way.get(side)

    def turn(self, side: Side, ids: list[str], *, more: bool) -> bool:
        """Turn the page; whether that was the last."""
        listing = self._under_way[side]
        listing.listed.update(ids)
        listing.offset += PAGE
        if not more:
            del self._under_way[side]
        return not more


def doublings(first: timedelta, last: timedelta) -> list[timedelta]:
    """The ages at which a pair that is over is looked at: about a dozen, each twice the one before."""
    return list(takewhile(lambda age: age <= last, (first * 2**n for n in range(_MOST_DOUBLINGS))))


class Slice:
    """One cycle's share of the sweep, and where the sweep stands afterwards."""

    def __init__(self, sweep: Sweep, eyes: Eyes, looks: Looks) -> None:
        self.sweep = sweep
        self.eyes = eyes
        self.looks = looks
        self.now = looks.now
        self.interval = looks.horizons.sweep_interval
        self.cursors: dict[str, str] = {}

    def take(self, cursors: dict[str, str], open_pairs: int, share: float, *, begin: bool = False) -> None:
        """Heal what the feeds missed: pages of both listings, and the notes of that share of the open pairs.

        `begin`: a listing begins now, unless one is under way. A page that fails is tried again in the next cycle.
        """
        before = earlier(self.now, self.interval)
        quota = math.ceil(open_pairs * min(share, 1.0))
        with self.looks.database.reading() as books:
            due = books.snapshot.swept_before(before, quota) if quota else []
        for pair in due:
            look = self.looks.at(pair.alert_id)
            look.swept = True
            look.alert_notes = look.alert_notes or pair.tracked
            look.incident_notes = look.incident_notes or pair.incident_id is not None
        self._finished(cursors, share)
        started = moment(cursors.get("sweep"), self.now, before)
        if self.sweep.is_due(min(started, before) if begin else started, before):
            self.sweep.begin()
            self.cursors["sweep"] = self.now.isoformat()
        listings = {Side.OPSGENIE: self._list_alerts, Side.PAGERDUTY: self._list_incidents}
        for side, turn_page in listings.items():
            for _ in range(1 + quota // PAGE):
                if self.sweep.listing(side) is None:
                    break
                if not self.eyes.attempt(side, turn_page):
                    self._read_each(side, due)
                    break

    def _read_each(self, side: Side, due: list[Pair]) -> None:
        """The listing is out of order: what it would have shown of these pairs is read by their ids."""
        for pair in due:
            look = self.looks.at(pair.alert_id)
            look.alert = look.alert or (side is Side.OPSGENIE and pair.tracked)
            look.incident = look.incident or (side is Side.PAGERDUTY and pair.incident_id is not None)

    def _finished(self, cursors: dict[str, str], share: float) -> None:
        """Pairs that are over, ever more seldom: each time that twice as long has passed since.

        Once in a sweep interval it is asked who has reached such an age; then they are looked at in order of
        their ids, a page in each interval at most. The cursor tells since when, until when, and how far.
        """
        quota = math.ceil(PAGE * min(share, 1.0))
        stored = cursors.get("finished")
        began, until = moments(stored, 2, self.now, (self.now, self.now))
        after = place(stored)
        if after is None and abs(self.now - until) >= self.interval:
            began, until, after = until, self.now, ""
        if after is not None and quota:
            ages = doublings(self.interval, self.looks.horizons.retention)
            with self.looks.database.reading() as books:
                due = books.snapshot.finished(ages, (began, until), after, quota)
            for alert_id in due:
                look = self.looks.at(alert_id)
                look.alert_notes = look.incident_notes = True
            after = due[-1] if len(due) == quota else None
        self.cursors["finished"] = json.dumps([began.isoformat(), until.isoformat(), after])

    def _list_alerts(self) -> None:
        listing = self.sweep.listing(Side.OPSGENIE)
        if listing is None:
            return
        rows, more = self.eyes.opsgenie.open_alerts_page(listing.offset)
        self.looks.compare_alerts(rows)
        if self.sweep.turn(Side.OPSGENIE, [row.id for row in rows], more=more):
            self.looks.look_for_absent(Side.OPSGENIE, listing.listed)

    def _list_incidents(self) -> None:
        listing = self.sweep.listing(Side.PAGERDUTY)
        if listing is None:
            return
        rows, more = self.eyes.pagerduty.open_incidents_page(listing.offset)
        self.looks.compare_incidents(rows)
        if self.sweep.turn(Side.PAGERDUTY, [row.id for row in rows], more=more):
            self.looks.look_for_absent(Side.PAGERDUTY, listing.listed)
