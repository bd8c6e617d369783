"""What only the leading process knows, stored so that `status` can show it without asking a vendor.

It is written with what is committed anyway, a source's cursor or a changed trouble, and never on its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.model import Side


@dataclass(frozen=True, slots=True)
class LeaderState:
    """The leader's knowledge at one time.

    `since` is when it began to lead, in `epoch`. `user` is the automation user's id or name. `left` are the
    requests that the tightest known limit of each vendor still allowed; None: no limit is known. `refused` are the
    vendors that refuse its writes.
    """

    at: datetime
    epoch: int
    since: datetime
    user: str = ""
    left: Mapping[Side, int | None] = field(default_factory=dict)
    refused: frozenset[Side] = frozenset()


def dumped(state: LeaderState) -> str:
    """The state as it is stored."""
    return json.dumps(
        {
            "at": state.at.isoformat(),
            "epoch": state.epoch,
            "since": state.since.isoformat(),
            "user": state.user,
            "left": {side.value: left for side, left in state.left.items()},
            "refused": sorted(state.refused),
        }
    )


def loaded(value: str) -> LeaderState | None:
    """The stored state; None if it is not readable."""
    try:
        found = json.loads(value)
        return LeaderState(
            at=datetime.fromisoformat(found["at"]),
            epoch=int(found["epoch"]),
            since=datetime.fromisoformat(found["since"]),
            user=str(found["user"]),
            left={Side(side): left for side, left in found["left"].items()},
            refused=frozenset(Side(side) for side in found["refused"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
