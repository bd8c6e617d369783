"""What has changed between two looks at the open alerts, without a list that is sorted by change.

The alerts that nobody has acknowledged are listed completely. Of the acknowledged ones the newest page is listed,
and they are counted. So an alert that leaves what is listed is named, and one that leaves the rest changes the
number.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

Created = Mapping[str, datetime]
"""Alerts by id, each with the time of its creation."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One look at the open alerts.

    `acknowledged` is the newest page of those, `beyond` the number of all others: -1 if the product does not say.
    `floor`: alerts without an acknowledgement that were created by then are not listed, as there are too many.
    """

    unacknowledged: Created = field(default_factory=dict)
    acknowledged: Created = field(default_factory=dict)
    beyond: int = 0
    floor: datetime | None = None

    @property
    def edge(self) -> datetime | None:
        """An acknowledged alert created later is on the page; None if they all are."""
        return min(self.acknowledged.values(), default=None) if self.beyond else None

    def has(self, alert_id: str) -> bool:
        """Whether the alert is listed."""
        return alert_id in self.unacknowledged or alert_id in self.acknowledged


@dataclass(frozen=True, slots=True)
class Difference:
    """What a look shows against the one before.

    `absent` are alerts to read by id. `is_whole`: False if an alert beyond the page may have changed.
    """

    absent: frozenset[str]
    is_whole: bool


def compared(before: Listed | None, after: Listed) -> Difference:
    """The difference between two looks. Nothing is known without an earlier one.

    An alert that is no longer listed was closed, or has moved beyond the page: if it is older than the page's
    edge, either may be true. The number beyond the page must be explained by what joined and left it.
    """
    if before is None:
        return Difference(frozenset(), is_whole=False)
    gone = _missing(before.unacknowledged, after)
    off_page = _missing(before.acknowledged, after)
    hidden = _by(gone, before.unacknowledged, after.edge)
    pushed = _by(off_page, before.acknowledged, after.edge)
    came = _by(_missing(after.acknowledged, before), after.acknowledged, before.edge)
    released = _by(_missing(after.unacknowledged, before), after.unacknowledged, before.edge)
    least = before.beyond - len(came) - len(released)
    most = least + len(hidden) + len(pushed)
    unlisted = _by(gone, before.unacknowledged, after.floor)
    all_pushed = after.beyond >= most
    absent = (gone - unlisted) | (off_page - pushed if all_pushed else off_page)
    return Difference(absent, is_whole=least <= after.beyond <= most)


def _missing(one: Created, other: Listed) -> frozenset[str]:
    return frozenset(alert_id for alert_id in one if not other.has(alert_id))


def _by(ids: AbstractSet[str], created: Created, time: datetime | None) -> frozenset[str]:
    """Those that were created by this time; none without one."""
    return frozenset(each for each in ids if time is not None and created[each] <= time)
