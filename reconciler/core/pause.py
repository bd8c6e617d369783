"""A pause: an operator holds writes to one side back. Nothing is lost: what waits is written after it."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.core.model import Side


@dataclass(frozen=True, slots=True)
class Pause:
    """One side's pause. `pages`: pages wait too. `until`: it ends by itself; None: only by `resume`."""

    side: Side
    since: datetime
    reason: str
    who: str = ""
    pages: bool = False
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return self.until is not None and now >= self.until
