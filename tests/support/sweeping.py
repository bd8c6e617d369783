"""A sweep and its listings."""

from typing import Any, cast

from reconciler.sources.listings import ListingTools, OpenAlerts, OpenIncidents, OpenListing
from reconciler.sources.sweep import Retention, Sweep
from tests.support.sources import Stage


class Swept:
    """A sweep and its listings on a stage, polled once a second."""

    def __init__(self, stage: Stage, *, whole: bool = False, keep: bool = False) -> None:
        self.stage = stage
        tools = ListingTools(stage.database, stage.intake, stage.clock, stage.horizons, stage.is_busy, whole=whole)
        self.alerts = OpenAlerts(cast("Any", stage.opsgenie), stage.repetitions, tools)
        self.incidents = OpenIncidents(cast("Any", stage.pagerduty), tools)
        self.listings: tuple[OpenListing, ...] = (self.alerts, self.incidents)
        self.sweep = Sweep(
            stage.database,
            stage.intake,
            stage.queue,
            stage.clock,
            stage.horizons,
            self.listings,
            stage.is_busy,
            None if keep else Retention(stage.database, stage.horizons),
            whole=whole,
        )

    def second(self) -> list[str]:
        """Lets a second pass; the pairs that the sweep queues."""
        self.stage.clock.wait(1)
        self.sweep.poll()
        return self.stage.work()
