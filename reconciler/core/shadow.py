"""The comparison of the open pairs with another product's open alerts: numbers only; nothing follows from it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.matching import Match, Matching

UNKNOWN = "unknown"
"""An open alert of the other product that no pair matches."""
VERDICTS = (*(match.value for match in Match), UNKNOWN)
"""Every verdict that is counted."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many alerts have which verdict. `at` is when the other product was looked at."""

    at: datetime
    counts: Mapping[str, int]

    @property
    def words(self) -> str:
        """The numbers in words; what does not occur is left out."""
        found = [f"{self.counts[verdict]} {verdict}" for verdict in VERDICTS if self.counts.get(verdict)]
        return ", ".join(found) or "nothing is open"


def compared(matching: Matching, at: datetime) -> Comparison:
    """The numbers of this matching, zeros included."""
    counted = Counter(verdict.match.value for verdict in matching.verdicts.values())
    counted[UNKNOWN] = len(matching.unmatched)
    return Comparison(at, {verdict: counted[verdict] for verdict in VERDICTS})
