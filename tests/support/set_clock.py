"""`reconciler …` on a wall clock that can be set: RECONCILER_CLOCK names a file with the seconds to add to it."""

import os
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import apscheduler.schedulers.base

import reconciler.runtime.schedule
import reconciler.vendors.http
from reconciler.cli.commands import main

OFFSET = Path(os.environ["RECONCILER_CLOCK"])


class WallClock(datetime):
    """The time of day, as the file has it."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz or UTC) + timedelta(seconds=float(OFFSET.read_text()))


if __name__ == "__main__":
    for module in (apscheduler.schedulers.base, reconciler.runtime.schedule, reconciler.vendors.http):
        vars(module)["datetime"] = WallClock
    main()
