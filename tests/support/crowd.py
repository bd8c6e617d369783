"""Customers and engineers who keep acting, whatever state the reconciler is in."""

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.sandbox.opsgenie import shapes as opsgenie_shapes
from reconciler.sandbox.pagerduty import shapes as pagerduty_shapes
from reconciler.sandbox.wire import Json
from tests.support.harness import World

MOST_OPEN = 30
"""The backlog of writes at which people pause: a process that is killed after a second does no more."""
CUSTOMERS = ("Ana Ruiz", "Bo Lind")
ENGINEERS = ("Jane Doe", "Omar Haddad")
LIVES = (
    ("customer acknowledge", "engineer resolve"),
    ("engineer acknowledge", "engineer resolve", "engineer reopen"),
    ("engineer acknowledge", "engineer unacknowledge", "customer close"),
    ("customer acknowledge", "customer unacknowledge"),
    ("engineer resolve",),
    ("customer close",),
)
"""The acts on an alert. Each waits until the one before has been mirrored, because the reconciler compares states:
of two acts within one outage it could mirror only the resulting state."""


@dataclass
class Life:
    """One alert and the acts on it."""

    alert_id: str
    acts: Iterator[str]
    waits_for: str = "create"


@dataclass
class People:
    """People who act in a thread of their own until `stop`."""

    world: World
    dice: random.Random
    pause: float = 0.08
    acts: int = 0
    lives: list[Life] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._live, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the current act, and raise what it has raised."""
        self._stop.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _live(self) -> None:
        try:
            while not self._stop.wait(self.dice.uniform(0, 2 * self.pause)):
                self._act()
        except Exception as failure:  # noqa: BLE001 - told by `stop`
            self._failure = failure

    def _act(self) -> None:
        standing = self.world.standing()
        if standing.get("planned", 0) + standing.get("sent", 0) > MOST_OPEN:
            return
        self.acts += 1
        living = self.lives[-8:]
        chance = self.dice.random()
        if not living or chance < 0.12:
            alert = self.world.raise_alert(f"alert {len(self.lives) + 1}", user=self.dice.choice(CUSTOMERS))
            self.lives.append(Life(alert, iter(self.dice.choice(LIVES))))
        elif chance < 0.4:
            text = self.dice.choice(("looking", "still bad", f"it is number {self.acts}"))  # some of them equal
            self.world.customer(
                self.dice.choice(living).alert_id, "notes", text=text, user=self.dice.choice(CUSTOMERS)
            )
        else:
            self._about_the_incident(self.dice.choice(living), chance)

    def _about_the_incident(self, life: Life, chance: float) -> None:
        seen = _both(self.world, life.alert_id)
        if seen is None:
            return
        alert, incident = seen
        if chance < 0.65:
            text = f"engineers say {self.acts}"
            self.world.engineer(life.alert_id, "notes", text=text, user=self.dice.choice(ENGINEERS))
        elif _is_mirrored(life.waits_for, alert, incident):
            act = next(life.acts, None)
            if act is not None:
                who, verb = act.split()
                (self.world.customer if who == "customer" else self.world.engineer)(life.alert_id, verb)
                life.waits_for = act


def _both(world: World, alert_id: str) -> tuple[Json, Json] | None:
    """The alert and its incident, read from the sandbox without a request."""
    sandbox = world.sandbox
    with sandbox.lock:
        incidents = sandbox.pagerduty.incidents.by_key(alert_id)
        if not incidents:
            return None
        alert = opsgenie_shapes.whole(sandbox.opsgenie.find(alert_id))
        return alert, pagerduty_shapes.whole(incidents[0])


def _is_mirrored(act: str, alert: Json, incident: Json) -> bool:
    """Whether both sides show the effect of this act."""
    told = " ".join(note["content"] for note in incident["notes"])
    told_back = " ".join(note["note"] for note in alert["notes"])
    return {
        "create": True,
        "customer acknowledge": incident["status"] == "acknowledged" and "] acknowledged the alert" in told,
        "customer unacknowledge": "unacknowledged the alert" in told,
        "customer close": "closed the alert" in told,
        "engineer acknowledge": bool(alert["acknowledged"]),
        "engineer unacknowledge": not alert["acknowledged"],
        "engineer resolve": "resolved the incident" in told_back,
        "engineer reopen": "reopened the incident" in told_back,
    }[act]
