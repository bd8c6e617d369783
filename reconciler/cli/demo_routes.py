"""`reconciler demo --routes`: three customers' routes in one daemon, with one pair of keys and one database.

One customer's storm does not delay another's page, a route whose service is deleted stops no other one, and a
reload of the routes file mends that route and adds a fourth.
"""

import signal
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click
import requests

from reconciler.cli.demo_stage import NotSeen, Stage, State
from reconciler.sandbox.server import environment, serve
from reconciler.sandbox.settings import SandboxSettings

STORM = 30
IN_STORM = "is unreachable"
"""What is in the messages of the storm's alerts."""
DELETED = "PSVC003"
BEFORE = {"acme": "PSVC001", "globex": "PSVC002", "initech": DELETED}
AFTER = BEFORE | {"initech": "PSVC005", "hooli": "PSVC004"}
"""The service of each customer's route, before and after the reload."""


def play() -> int:
    """Run the demo; exit status 0 when nothing was lost, done twice, or on a wrong service."""
    lags = SandboxSettings(list_lag=0.4, write_lag=0.3, latency=0.1)
    settings = lags.changed({"services": len(AFTER) + 1, "bad_services": {DELETED: "gone"}})
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, serve(settings=settings) as sandbox:
        stage = RoutesStage(sandbox.url, Path(folder), environment(sandbox.url))
        stage.stops_when_missed = True
        late = 0
        try:
            _story(stage)
            late = stage.late_writes()
        except NotSeen:
            stage.say("demo", "the story ends here")
        finally:
            stage.kill()
        click.echo()
        return stage.verdict(late)


class RoutesStage(Stage):
    """A stage with a routes file. During a storm it does not print each write of the daemon."""

    def __init__(self, url: str, folder: Path, keys: dict[str, str]) -> None:
        super().__init__(url, folder, keys)
        self._file = folder / "routes.toml"
        self.environment.pop("PAGERDUTY_SERVICE_ID")
        self.environment["ROUTES_FILE"] = str(self._file)

    def write(self, services: Mapping[str, str]) -> None:
        """Write the routes file, and have the audit expect what it says."""
        self._file.write_text(routes_text(services))
        queries = {service: _query(name) for name, service in services.items()}
        requests.post(f"{self.url}/control/routes", json=queries, timeout=10).raise_for_status()

    def reload(self) -> None:
        """Send the daemon SIGHUP."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGHUP)

    def _tell(self, event: State) -> None:
        is_told_below = event.get("kind") == "pagerduty.create_incident" and IN_STORM in str(event)
        if not is_told_below:
            super()._tell(event)


def routes_text(services: Mapping[str, str]) -> str:
    """A routes file in which each customer's alerts, by their tag, go to a service."""
    tables = (
        f'[routes.{name}]\nquery = "{_query(name)}"\nservice = "{service}"\n' for name, service in services.items()
    )
    return "\n".join(tables)


def _query(customer: str) -> str:
    return f"tag: {customer}"


def _story(stage: RoutesStage) -> None:
    say, until = stage.say, stage.until
    say("demo", "three customers, a route each; one Opsgenie key, one PagerDuty key, one database, one daemon")
    for name, service in BEFORE.items():
        gone = ", which was deleted yesterday" if service == DELETED else ""
        say("demo", f"  [routes.{name}]  {_query(name)}  to service {service}{gone}")
    stage.write(BEFORE)
    stage.start()
    first = {name: _raise(stage, name, "db-primary is down") for name in BEFORE}
    for name in ("acme", "globex"):
        until(f"{name}'s page", lambda s, name=name: _on(s, first[name]) == [BEFORE[name]])  # type: ignore[misc]
    say("PagerDuty", "Acme's and Globex's engineers are paged, each on their own service")
    say("demo", "Initech's page waits: nothing can be created on a service that is gone")

    words = "rolling back the deploy"
    stage.act(
        "PagerDuty", f'Jane Doe adds a note to Globex\'s incident: "{words}"',
        f"pagerduty/incidents/{first['globex']}/notes", user="Jane Doe", text=words,
    )  # fmt: skip
    until("Jane's note", lambda s: words in _notes(s, first["globex"]))
    _storm(stage)

    late = _raise(stage, "hooli", "checkout is slow")
    say("demo", "a fourth customer's alert: no route has it yet, and nobody is paged")
    say("demo", "the routes file gets a fourth route and a new service for Initech; SIGHUP has it read again")
    stage.write(AFTER)
    stage.reload()
    until("Initech's page", lambda s: _on(s, first["initech"]) == [AFTER["initech"]])
    until("Hooli's page", lambda s: _on(s, late) == [AFTER["hooli"]])
    say("PagerDuty", "Initech's engineers are paged on the new service, and Hooli's on theirs")
    stage.command("status")


def _storm(stage: RoutesStage) -> None:
    """Many alerts of one customer, and one of another in their midst; before, the same without a storm."""
    calm = _raise(stage, "globex", "disk is 90% full")
    stage.until("Globex's page", lambda s: bool(_on(s, calm)))
    stage.say("Opsgenie", f"a network fails at Acme: {STORM} alerts at once, and then one at Globex")
    storm = [_post(stage, "acme", f"host {number} {IN_STORM}") for number in range(STORM)]
    amid = _post(stage, "globex", "payments fail")
    stage.until("all pages of the storm", lambda s: all(_on(s, alert) for alert in (*storm, amid)))
    state = stage.state()
    stage.say(
        "PagerDuty",
        f"Globex's engineers were paged {_seconds(state, amid):.1f} s after their alert amid the storm, and "
        f"{_seconds(state, calm):.1f} s before it; the slowest of Acme's {STORM} pages took "
        f"{max(_seconds(state, alert) for alert in storm):.1f} s",
    )


def _raise(stage: Stage, customer: str, message: str) -> str:
    """Raise an alert of a customer and print that; returns its id."""
    stage.say("Opsgenie", f'{customer.capitalize()} raises the alert "{message}" (P1, tag {customer})')
    return _post(stage, customer, message)


def _post(stage: Stage, customer: str, message: str) -> str:
    body = {"message": message, "priority": "P1", "user": "Grafana", "tags": [customer]}
    answer = requests.post(f"{stage.url}/control/opsgenie/alerts", json=body, timeout=10)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _on(state: State, alert_id: str) -> list[str]:
    """The services on which an alert has an incident."""
    return [i["service"]["id"] for i in state["pagerduty"]["incidents"] if i["incident_key"] == alert_id]


def _notes(state: State, alert_id: str) -> str:
    (alert,) = (each for each in state["opsgenie"]["alerts"] if each["id"] == alert_id)
    return "\n".join(note["note"] for note in alert["notes"])


def _seconds(state: State, alert_id: str) -> float:
    """The time from an alert to its page."""
    (raised,) = (each["createdAt"] for each in state["opsgenie"]["alerts"] if each["id"] == alert_id)
    ids = {each["id"] for each in state["pagerduty"]["incidents"] if each["incident_key"] == alert_id}
    paged = min(page["at"] for page in state["pagerduty"]["pages"] if page["incident_id"] in ids)
    return (datetime.fromisoformat(paged) - datetime.fromisoformat(raised)).total_seconds()
