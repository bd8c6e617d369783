"""What a caller knows about a run beyond the final state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NOTHING = timedelta(0)
_OTHER = {"jsm": "opsgenie", "opsgenie": "jsm"}


@dataclass(frozen=True)
class Knowledge:
    """Facts about the product's run. The defaults describe a run of which only the final state is known.

    `looks` are the times at which undisturbed cycles began, None where they are unknown. With them, the audit
    also judges the final states, the order of notes, the alert's details and the wording of names and texts.
    """

    looks: tuple[datetime, ...] | None = None
    first_looks: Mapping[str, datetime] = field(default_factory=dict)
    """Incidents by id, and when the product first read the notes of each."""
    lag: timedelta = NOTHING
    """Longest delay before a look shows an act, or a write takes effect."""
    lists_lag: bool = False
    """Whether lists show a new incident late."""
    origins: tuple[tuple[datetime, datetime], ...] = ()
    """When each first start completed, and how far back it looked."""
    lost_at: datetime | None = None
    """When the product's database was lost."""
    doubt: timedelta = timedelta(seconds=30)
    """How long a write may be in doubt.

    An act that is undone within this time need not be mirrored; one this close to the loss may be forgotten.
    """
    creation_is_late: bool = False
    """Whether a creation took effect late."""
    late_states: int = 0
    """How many changes of an incident's status took effect late."""
    unseen: timedelta = NOTHING
    """An engineer's act this close to one of the product's writes cannot have been seen before the write."""
    queue_reorders: bool = False
    """Whether Opsgenie delayed or dropped writes that it had accepted."""
    moves: tuple[tuple[datetime, str], ...] = ()
    """When the product began to follow the alerts of another product, and of which: `jsm` or `opsgenie`.

    Without them, what people did in one product and is not seen in the other one need not be mirrored.
    """
    names_may_be_lost: bool = False
    """Whether a write in an engineer's name may have failed and been made in the automation user's name."""
    may_resolve: bool = True
    """Whether ON_OPSGENIE_CLOSE may be `resolve`."""

    @property
    def is_watched(self) -> bool:
        """Whether the looks are known."""
        return self.looks is not None

    def followed(self, at: datetime) -> str:
        """The product whose alerts were followed at a time; empty where that is unknown."""
        if not self.moves:
            return ""
        before = [product for moved, product in self.moves if moved <= at]
        return before[-1] if before else _OTHER[self.moves[0][1]]

    @property
    def followed_last(self) -> str:
        """The product whose alerts are followed in the end."""
        return self.moves[-1][1] if self.moves else "jsm"

    def is_seen_before_a_move(self, at: datetime) -> bool:
        """Whether a look showed what happened at this time before the product followed other alerts."""
        following = [moved for moved, _ in self.moves if moved > at]
        return not following or self.is_apart(at, following[0])

    def is_apart(self, one: datetime, other: datetime) -> bool:
        """Whether there was an undisturbed look between two times; taken for granted where looks are unknown."""
        first, second = sorted((one, other))
        return self.looks is None or any(first + self.lag <= look < second for look in self.looks)

    def is_remembered(self, at: datetime) -> bool:
        """Whether what happened at this time was not forgotten with a lost database."""
        if self.lost_at is None:
            return True
        return self.is_apart(at, self.lost_at) and abs(self.lost_at - at) >= self.doubt
