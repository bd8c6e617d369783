"""The alerting rules: what they name exists, and they fire when the process is dead or has never worked."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.observability.metrics_table import METRICS
from reconciler.runtime.state_log import SUBJECTS
from reconciler.web import app
from tests.support.counting import MetricsBench, count_everything
from tests.support.paths import ROOT

FILE = ROOT / "examples" / "prometheus" / "rules.yaml"
RULES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"][0]["rules"]
EXPRESSIONS: dict[str, str] = {rule["alert"]: rule["expr"] for rule in RULES}
PROMTOOL = shutil.which("promtool")

NAME = re.compile(r"\b(?:reconciler|process)_[a-z_]+")
AGE = re.compile(r"(?:time\(\) - |\b)max(?: by \([a-z, ]+\))? ?\((\w+_seconds)\b[^)]*\) > ")
"""A comparison of an age, and the series that it is computed from."""
WITHOUT_TWIN = {"reconciler_divergence_oldest_seconds": "it is there only while a pair differs"}
"""Ages whose absence is no trouble, and why."""
WELL = {
    "reconciler_build_info": "1x300",
    "reconciler_lock_held": "1x300",
    'reconciler_last_good_poll_timestamp_seconds{source="opsgenie_feed"}': "0+60x300",
    'reconciler_last_good_poll_timestamp_seconds{source="pagerduty_feed"}': "0+60x300",
    "reconciler_oldest_page_waiting_seconds": "0x300",
    "reconciler_unpaged_pairs": "0x300",
    'reconciler_actions_dead{kind="pagerduty.add_note"}': "0x300",
    "reconciler_work_queue_oldest_seconds": "0x300",
    "reconciler_oldest_pending_seconds": "0x300",
    'reconciler_circuit_breaker_open{breaker="pagerduty_reads"}': "0x300",
    'reconciler_paused{side="pagerduty",pages="no"}': "0x300",
    'reconciler_paused{side="pagerduty",pages="yes"}': "0x300",
    'reconciler_troubles{subject="pagerduty"}': "0x300",
    'reconciler_troubles{subject="heartbeat"}': "0x300",
    'reconciler_webhooks_total{vendor="pagerduty",outcome="accepted"}': "0+1x300",
    'reconciler_webhooks_total{vendor="pagerduty",outcome="bad_signature"}': "5x300",
    'reconciler_webhooks_total{vendor="opsgenie",outcome="other_integration"}': "0x300",
    'reconciler_heartbeat_failures_total{heartbeat="url"}': "0x300",
    'process_start_time_seconds{instance="a",job="b"}': "7x300",
    'reconciler_build_info{instance="a",job="b"}': "1x300",
}
"""The series of five hours in which all is well, a sample a minute."""
JSM = {series.replace("opsgenie", "jsm"): values for series, values in WELL.items()}
"""The same with JSM as the alert side."""
JSM_FEED = 'reconciler_last_good_poll_timestamp_seconds{source="jsm_feed"}'
STANDBY = {"reconciler_build_info": "1x300", "reconciler_lock_held": "0x300"}


def routed(route: str, series: Mapping[str, str] = WELL, **changes: str) -> dict[str, str]:
    """The series of one of several routes; `changes` are other samples, by the name without its prefix."""
    found = {}
    for key, values in series.items():
        name, _, labels = key.rstrip("}").partition("{")
        if name.startswith(("process_", "reconciler_build_info")):
            continue
        given = changes.get(name.removeprefix("reconciler_"), values)
        if given:
            of = ",".join(filter(None, (labels, f'route="{route}"')))
            found[f"{name}{{{of}}}"] = given
    return found


PROCESS = {key: WELL[key] for key in WELL if key.startswith(("process_", "reconciler_build_info"))}
SHOP = PROCESS | routed("shop")
"""A process with the route `shop`, in which all is well, to which a test adds another one."""
DEAD = {"Absent", "WithoutLeader", "PollsLate", "PagesWait", "QueueLate", "WritesLate"}


def test_every_metric_named_exists() -> None:
    counted = MetricsBench()
    count_everything(counted)
    exposed = set(re.findall(r"^([a-z_]+)", counted.metrics.text().decode(), re.MULTILINE))
    for alert, expression in EXPRESSIONS.items():
        assert not set(NAME.findall(expression)) - exposed, alert
        assert NAME.findall(expression), alert


def test_every_expression_of_a_route_keeps_its_name() -> None:
    for alert, expression in EXPRESSIONS.items():
        for group in re.findall(
            r"(?:max|sum) ?(?:by \(([^)]*)\))? ?\(reconciler_(?!webhooks|heartbeat)", expression
        ):
            assert "route" in group.split(", "), alert


def test_every_label_in_a_rule_is_the_metrics_own() -> None:
    labels = {row.name: {*row.labels, "route"} for row in METRICS}
    for expression in EXPRESSIONS.values():
        for name, given in re.findall(r"\b(reconciler_[a-z_]+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)=", given)) <= labels[name]


def test_a_rule_that_names_the_alert_side_names_both_products() -> None:
    for alert, expression in EXPRESSIONS.items():
        for matcher in re.findall(r'"([^"]*)"', expression):
            assert ("opsgenie" in matcher) == ("jsm" in matcher), alert


def test_every_rule_about_an_age_fires_also_where_its_series_is_absent() -> None:
    found = {}
    for alert, expression in EXPRESSIONS.items():
        for name in AGE.findall(expression):
            found[alert] = name
            assert name in WITHOUT_TWIN or f"absent({name}" in expression, alert
    assert set(found) == {
        "ReconcilerPollsLate",
        "ReconcilerPagesWait",
        "ReconcilerQueueLate",
        "ReconcilerWritesLate",
        "ReconcilerPairsApart",
    }


def test_the_outcomes_of_a_webhook_that_the_log_explains_are_covered_and_no_other() -> None:
    pattern = re.search(r'outcome=~"([^"]+)"', EXPRESSIONS["ReconcilerWebhooksTurnedAway"])
    assert pattern
    known = {outcome for side in app._OUTCOMES.values() for outcome in side} | {"malformed", *app._UNREAD.values()}
    assert {outcome for outcome in known if re.fullmatch(pattern[1], outcome)} == set(app._FIX)


def test_every_rule_says_what_to_do_and_how_urgent_it_is() -> None:
    for rule in RULES:
        assert rule["alert"].startswith("Reconciler")
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert "heartbeat" in SUBJECTS, "a trouble of that subject is covered by ReconcilerInTrouble"


# -- what fires --


def changed(**series: str) -> dict[str, str]:
    """The good hour with other samples; the names are given without prefix, up to their labels."""
    found = dict(WELL)
    for name, values in series.items():
        keys = [key for key in found if key.startswith((f"reconciler_{name}", name))] or [f"reconciler_{name}"]
        found |= dict.fromkeys(keys, values)
    return found


FIRES: dict[str, tuple[Mapping[str, str], set[str]]] = {
    "never started": ({}, DEAD),
    "it dies after ten minutes": (
        {key: value.replace("x300", "x10") + " stale" for key, value in WELL.items()}, DEAD,
    ),
    "only stand-bys": (STANDBY, DEAD - {"Absent"}),
    "it has never polled": (
        {key: value for key, value in WELL.items() if "last_good_poll" not in key}, {"PollsLate"},
    ),
    "a side is not polled any more": (
        WELL | {'reconciler_last_good_poll_timestamp_seconds{source="opsgenie_feed"}': "0+0x300"}, {"PollsLate"},
    ),
    "JSM is not polled any more": (JSM | {JSM_FEED: "0+0x300"}, {"PollsLate"}),
    "JSM has never been polled": ({key: JSM[key] for key in JSM if key != JSM_FEED}, {"PollsLate"}),
    "JSM refuses the token": (JSM | {'reconciler_troubles{subject="jsm"}': "1x300"}, {"InTrouble"}),
    "pages wait": (changed(oldest_page_waiting_seconds="0+60x300"), {"PagesWait"}),
    "nobody is paged": (changed(unpaged_pairs="1x300"), {"NobodyPaged"}),
    "a note is dead": (changed(actions_dead="1x300"), {"ActionsDead"}),
    "the queue is late": (changed(work_queue_oldest_seconds="0+60x300"), {"QueueLate"}),
    "Opsgenie does not carry out what it accepts": (changed(oldest_pending_seconds="0+60x300"), {"WritesLate"}),
    "a trouble": (WELL | {'reconciler_troubles{subject="heartbeat"}': "1x300"}, {"InTrouble"}),
    "nobody is on call": (WELL | {'reconciler_troubles{subject="pagerduty"}': "1x300"}, {"PagesAtRisk"}),
    "a pause is forgotten": (
        WELL | {'reconciler_paused{side="pagerduty",pages="no"}': "1x300"}, {"Paused"},
    ),
    "a pair is apart": (changed(divergence_oldest_seconds="0+120x300"), {"PairsApart"}),
    "three forged webhooks": (
        WELL | {'reconciler_webhooks_total{vendor="pagerduty",outcome="bad_signature"}': "5x40 6 7 8x258"},
        {"WebhooksTurnedAway"},
    ),
    "webhooks of another integration": (
        WELL | {'reconciler_webhooks_total{vendor="opsgenie",outcome="other_integration"}': "0+1x300"},
        {"WebhooksTurnedAway"},
    ),
    "a heartbeat fails": (changed(heartbeat_failures_total="0+1x300"), {"HeartbeatFails"}),
    "one of two routes has no leader": (
        SHOP | {'reconciler_lock_held{route="search"}': "0x300"}, {"WithoutLeader"},
    ),
    "one of two routes has never polled": (
        SHOP | routed("search", last_good_poll_timestamp_seconds=""), {"PollsLate"},
    ),
    "one of two routes is not polled any more": (
        SHOP | routed("search", last_good_poll_timestamp_seconds="0+0x300"), {"PollsLate"},
    ),
    "pages of one of two routes wait": (
        SHOP | routed("search", oldest_page_waiting_seconds="0+60x300"), {"PagesWait"},
    ),
    "one of two routes is led and works at nothing": (
        SHOP | {'reconciler_lock_held{route="search"}': "1x300"},
        {"PollsLate", "PagesWait", "QueueLate", "WritesLate"},
    ),
    "a write is late while another route is paused and in trouble": (
        PROCESS | routed("shop", paused="1x300", troubles="0x300")
        | routed("mail", troubles="1x300")
        | routed("search", oldest_pending_seconds="0+60x300", work_queue_oldest_seconds="0+60x300"),
        {"WritesLate", "QueueLate", "PagesAtRisk", "InTrouble"},
    ),
    "all processes with several routes are dead": (
        {key: value.replace("x300", "x10") + " stale" for key, value in (SHOP | routed("search")).items()}, DEAD,
    ),
    "a crash loop": (changed(process_start_time_seconds="0+1x300"), {"RestartsOften"}),
}  # fmt: skip
"""Series, and the alerts that fire at the end: after 50 minutes, or after 250 where a pause is judged."""
SILENT: dict[str, tuple[Mapping[str, str], set[str]]] = {
    "well": (WELL, {"Absent", "WithoutLeader", "PollsLate", "RestartsOften"}),
    "well, with JSM": (JSM, {"Absent", "WithoutLeader", "PollsLate", "RestartsOften"}),
    "a poll of JSM missed for four minutes": (JSM | {JSM_FEED: "0+60x46 2760x60"}, {"PollsLate"}),
    "well, with a stand-by": (
        WELL | {key + '{pod="2"}': value for key, value in STANDBY.items()}, {"WithoutLeader"},
    ),
    "well, with two routes on two processes": (
        SHOP | routed("search")
        | {f'{key[:-1]},pod="2"}}': value for key, value in routed("shop", STANDBY).items()},
        {"WithoutLeader", "PollsLate", "PagesWait", "QueueLate", "WritesLate"},
    ),
    "a route was removed": (
        SHOP | {key: value.replace("x300", "x20") + " stale" for key, value in routed("search").items()},
        {"WithoutLeader", "PollsLate", "PagesWait"},
    ),
    "it was restarted a minute ago": (
        {
            key: f"{value.partition('x')[0]}x46 stale _ {value.replace('0+60x300', '2880+60x1')}"
            for key, value in WELL.items()
        },
        {"Absent", "WithoutLeader"},
    ),
    "three restarts": (changed(process_start_time_seconds="7x40 8x1 9x1 10x60"), {"RestartsOften"}),
    "a poll missed for four minutes": (
        WELL | {'reconciler_last_good_poll_timestamp_seconds{source="opsgenie_feed"}': "0+60x46 2760x60"},
        {"PollsLate"},
    ),
    "a page that waits for a minute": (changed(oldest_page_waiting_seconds="60x300"), {"PagesWait"}),
    "somebody was paged within the minute": (changed(unpaged_pairs="0x49 1x0 0x50"), {"NobodyPaged"}),
    "a dead note that was put back": (changed(actions_dead="1x40 0x60"), {"ActionsDead"}),
    "a queue that is five minutes behind": (changed(work_queue_oldest_seconds="300x300"), {"QueueLate"}),
    "a queue that waits for a vendor": (
        changed(work_queue_oldest_seconds="0+60x300", circuit_breaker_open="1x300"), {"QueueLate"},
    ),
    "a write that takes half an hour": (changed(oldest_pending_seconds="1800x300"), {"WritesLate"}),
    "a write that waits for the end of a pause": (
        changed(oldest_pending_seconds="0+60x300", paused="0x60 1x240"), {"WritesLate", "Paused"},
    ),
    "a write that waits for a vendor": (
        changed(oldest_pending_seconds="0+60x300", troubles="0x40 1x60"),
        {"WritesLate", "InTrouble", "PagesAtRisk"},
    ),
    "a pair apart for an hour": (changed(divergence_oldest_seconds="3600x300"), {"PairsApart"}),
    "one webhook of another integration": (
        WELL | {'reconciler_webhooks_total{vendor="opsgenie",outcome="other_integration"}': "0x47 1x253"},
        {"WebhooksTurnedAway"},
    ),
    "two forged webhooks, which a missed scrape makes 2.1": (
        WELL | {'reconciler_webhooks_total{vendor="pagerduty",outcome="bad_signature"}': "5x34 _ 5x4 6 7x258"},
        {"WebhooksTurnedAway"},
    ),
    "a scanner's requests": (
        WELL | {'reconciler_webhooks_total{vendor="pagerduty",outcome="wrong_method"}': "0+10x300"},
        {"WebhooksTurnedAway"},
    ),
    "three missed heartbeats": (changed(heartbeat_failures_total="0x40 1 2 3x58"), {"HeartbeatFails"}),
}  # fmt: skip
"""Series that are nearly as bad, and the alerts that they must not make fire; none fires of the others either."""


EITHER = "opsgenie_feed or jsm_feed"
"""The source where no poll of either product is known: nothing tells which of them it should be."""


def test_each_rule_has_a_case_in_which_it_fires_and_one_in_which_it_nearly_does() -> None:
    for cases in (FIRES, SILENT):
        judged = {alert for _, alerts in cases.values() for alert in alerts}
        assert {f"Reconciler{alert}" for alert in judged} == set(EXPRESSIONS)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH: it comes with Prometheus")
def test_promtool_accepts_the_rules_and_what_should_fire_fires(tmp_path: Path) -> None:
    assert PROMTOOL
    checked = subprocess.run([PROMTOOL, "check", "rules", FILE], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": key, "values": values} for key, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
                    "eval_time": "250m" if "Paused" in judged else "50m",
                    "exp_samples": [
                        {"labels": f'{{alertname="Reconciler{alert}"}}', "value": 1}
                        for alert in sorted(judged)
                        if fires
                    ],
                }
            ],
        }
        for cases, fires in ((FIRES, True), (SILENT, False))
        for name, (series, judged) in cases.items()
    ]
    unpolled = next(test for test in tests if test["name"] == "JSM has never been polled")
    unpolled["alert_rule_test"] = [
        {
            "eval_time": "50m",
            "alertname": "ReconcilerPollsLate",
            "exp_alerts": [
                {
                    "exp_labels": rule["labels"] | {"source": EITHER},
                    "exp_annotations": rule["annotations"]
                    | {"summary": rule["annotations"]["summary"].replace("{{ $labels.source }}", EITHER)},
                }
                for rule in RULES
                if rule["alert"] == "ReconcilerPollsLate"
            ],
        }
    ]
    file = tmp_path / "test.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": tests}), encoding="utf-8"
    )
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
