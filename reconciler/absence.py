"""Whether alerts that Opsgenie does not know are gone, or our key no longer sees what it saw before."""

from dataclasses import replace

from reconciler.core.model import Alert, Side, Sighting
from reconciler.errors import Misconfigured
from reconciler.sight import Eyes
from reconciler.store.database import Database


class Absence:
    """One cycle's missing alerts. The newest page of the list is asked for at most once, and only at need.

    Memory is `blind`, until the next look around, while none of several alerts that were seen before is seen any
    more, nor any other that was known.
    """

    def __init__(self, eyes: Eyes, database: Database) -> None:
        self.eyes = eyes
        self.database = database
        self._sees: bool | None = None

    def judged(self, sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
        """The sightings, each missing one with whether the same key still sees others."""
        memory, now = self.eyes.memory, self.eyes.now
        for seen in sightings:
            base = seen.pair.opsgenie if seen.pair else None
            if seen.missing and base is not None and base.open and not base.deleted:
                memory.is_missing(seen.alert_id, base.missing_since or now, now)
            elif seen.missing or seen.alert is not None:
                memory.is_there(seen.alert_id)
        if len(memory.missing) <= 1:
            memory.blind = None
        memory.meet((seen.alert_id for seen in sightings if seen.pair is None), now)
        if not any(seen.missing and seen.alert_id in memory.missing for seen in sightings):
            return sightings
        if self._sees is None and not self.eyes.attempt(Side.OPSGENIE, self._look_around):
            self._sees = False
        sees = bool(self._sees)
        return tuple(replace(seen, sees_others=sees) if seen.missing else seen for seen in sightings)

    def _look_around(self) -> None:
        """One that is missing needs a list that shows any other alert.

        Several need as many as are missing, known from before: one team's key sees plenty of alerts of its own.
        """
        missing = self.eyes.memory.missing
        rows = [row for row in self.eyes.opsgenie.recent_alerts(None) if row.id not in missing]
        if len(missing) == 1:
            self._sees = bool(rows)
            return
        known = self._known(rows)
        self._sees = known >= len(missing)
        blind = Misconfigured(
            f"OPSGENIE_API_KEY sees none of the {len(missing)} alerts that it saw before: is it another team's or "
            "account's key? Nothing is concluded from it"
        )
        self.eyes.memory.blind = None if known else blind

    def _known(self, rows: list[Alert]) -> int:
        """How many of them were known before; an old one that was first met since then another key may show."""
        memory = self.eyes.memory
        since = min(memory.missing.values())
        with self.database.reading() as books:
            known = books.snapshot.pairs([row.id for row in rows])
        return sum(
            row.id in known and not (row.created_at < since and memory.met_since(row.id, since)) for row in rows
        )
