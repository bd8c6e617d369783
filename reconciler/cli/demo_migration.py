"""`reconciler demo --migration`: a move from Opsgenie to Jira Service Management while people keep working.

The worst case that is thought possible: alerts get new ids in JSM, and what people do there no longer reaches
Opsgenie.
"""

import tempfile
from pathlib import Path

import click

from reconciler.cli.demo_stage import NotSeen, Stage, State
from reconciler.sandbox.server import environment, jsm_environment, serve
from reconciler.sandbox.settings import SandboxSettings

OLD, NEW = "db-primary is down", "checkout is slow"


def play() -> int:
    """Run the demo; exit status 0 when nothing was lost and nothing was done twice."""
    settings = SandboxSettings(list_lag=0.4, write_lag=0.3, latency=0.01, jsm_ids="new", jsm_sync="to_jsm")
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, serve(settings=settings) as sandbox:
        keys = environment(sandbox.url) | jsm_environment(sandbox.url, settings, is_named=True)
        stage = Stage(sandbox.url, Path(folder), keys | {"ALERT_SOURCE": "opsgenie"})
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


def _story(stage: Stage) -> None:
    say, act, until = stage.say, stage.act, stage.until
    say("demo", "all vendors are simulated on loopback; the daemon and the commands are the real ones")
    stage.start()
    alert = act(
        "Opsgenie", f'Grafana raises the alert "{OLD}" (P1)', "opsgenie/alerts",
        message=OLD, priority="P1", alias="db-primary", user="Grafana",
    )  # fmt: skip
    until("the page", lambda s: bool(s["pagerduty"]["incidents"]))
    say("PagerDuty", "the engineer on call is paged")
    on_alert, on_incident = f"opsgenie/alerts/{alert['id']}", f"pagerduty/incidents/{alert['id']}"
    _note(stage, "Opsgenie", "Ana Ruiz", f"{on_alert}/notes", "it began after the 09:10 deploy")
    until("Ana's note", lambda s: "09:10 deploy" in _incident_notes(s))
    act("PagerDuty", "Jane Doe acknowledges", f"{on_incident}/acknowledge", user="Jane Doe")
    until("Jane's acknowledgement", lambda s: s["opsgenie"]["alerts"][0]["acknowledged"])

    act("demo", "Atlassian moves the alerts to JSM, under new ids", "migrate")
    moved = stage.state()["jsm"]["alerts"][0]["id"]
    stage.stop()
    say("demo", "the daemon is stopped; people go on meanwhile, in JSM and in PagerDuty")
    _note(stage, "JSM", "Ana Ruiz", f"jsm/alerts/{moved}/notes", "customers see errors again")
    act("JSM", f'Grafana raises the alert "{NEW}" (P1)', "jsm/alerts", message=NEW, priority="P1", user="Grafana")
    _note(stage, "PagerDuty", "Jane Doe", f"{on_incident}/notes", "standby is catching up")
    stage.command("migrate", "--to", "jsm", "--check")
    stage.command("migrate", "--to", "jsm", "--drain")
    stage.environment["ALERT_SOURCE"] = "jsm"
    stage.command("once", "--dry-run")
    stage.start()
    say("demo", "the daemon is started again, with ALERT_SOURCE=jsm")
    until("the second page", lambda s: len(s["pagerduty"]["incidents"]) == 2)  # noqa: PLR2004 - of two alerts
    say("PagerDuty", "the engineer on call is paged for the new alert, and not again for the old one")
    until("Ana's note in JSM", lambda s: "errors again" in _incident_notes(s))
    until("Jane's note", lambda s: "catching up" in _alert_notes(s, moved))
    act("PagerDuty", "Jane Doe resolves", f"{on_incident}/resolve", user="Jane Doe")
    until("Jane's resolution", lambda s: "resolved the incident" in _alert_notes(s, moved))


def _note(stage: Stage, side: str, who: str, path: str, words: str) -> None:
    stage.act(side, f'{who} adds a note: "{words}"', path, user=who, text=words)


def _incident_notes(state: State) -> str:
    return "\n".join(note["content"] for note in state["pagerduty"]["incidents"][0]["notes"])


def _alert_notes(state: State, alert_id: str) -> str:
    (alert,) = (each for each in state["jsm"]["alerts"] if each["id"] == alert_id)
    return "\n".join(note["note"] for note in alert["notes"])
