"""Why an alert is not tracked: every verdict, and what is asked for it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.model import Alert, Incident
from reconciler.errors import Missing, Permanent, ReconcilerError, Refused
from reconciler.operations.untracked import MOST_ASKED, Running, Searches, Verdict, verdicts
from reconciler.store.cursors import Origin, Positions
from tests.support.builders import alert, at, incident

NOW = at(3600)
WORKS = Positions(origin=Origin(at(-100), at(-3700)), polled_alerts=at(3595))
RUNNING = Running(WORKS, "vm:17")
ALERT = alert(created_at=at(10), updated_at=at(10))


@dataclass
class Vendors:
    """Both vendors: `inside` are the terms that the alert matches."""

    alerts: tuple[Alert, ...] = (ALERT,)
    inside: tuple[str, ...] = ()
    incidents: dict[str, Incident] = field(default_factory=dict)
    indexed: bool = True
    refuses: str = "none"
    asked: list[str] = field(default_factory=list)
    unknown: ReconcilerError = field(default_factory=lambda: Missing("404"))

    def alert(self, alert_id: str) -> Alert:
        self.asked.append(alert_id)
        found = [each for each in self.alerts if each.id == alert_id]
        if not found:
            raise self.unknown
        return found[0]

    def find(self, query: str) -> list[Alert]:
        self.asked.append(query)
        if self.refuses in query:
            raise Permanent("422: cannot parse", 422)
        if query.startswith("tinyId: "):
            return [each for each in self.alerts if each.tiny_id == query.removeprefix("tinyId: ")]
        term = query.partition(" AND ")[2].removeprefix("(").removesuffix(")")
        return list(self.alerts) if self.indexed and (not term or term in self.inside) else []

    def incident(self, given: str) -> Incident:
        if given not in self.incidents:
            raise self.unknown
        return self.incidents[given]


def found(given: str = "17", running: Running = RUNNING, **vendors: Any) -> tuple[Verdict, ...]:
    both = Vendors(**vendors)
    return verdicts(given, Searches(both, both, "PSVC"), running, NOW)


def only(given: str = "17", running: Running = RUNNING, **vendors: Any) -> Verdict:
    (one,) = found(given, running, **vendors)
    return one


def querying(query: str, running: Running = RUNNING) -> Running:
    return replace(running, query=query)


@pytest.mark.parametrize("given", ["17", "#17", "a-1"])
def test_an_alert_is_found_by_its_number_or_id(given: str) -> None:
    one = only(given)
    assert (one.kind, one.alert_id, one.name, one.is_known) == ("not seen yet", "a-1", '#17 "Disk full"', True)
    assert one.url == ALERT.url


def test_a_number_that_opsgenie_has_given_again_is_answered_for_each_alert_up_to_a_limit() -> None:
    many = tuple(replace(ALERT, id=f"a-{number}") for number in range(MOST_ASKED + 2))
    assert len(found(alerts=many)) == MOST_ASKED


@pytest.mark.parametrize("given", ["99", "nope"])
@pytest.mark.parametrize("unknown", [Missing("404"), Permanent("422: no id of ours", 422)])
def test_what_nobody_knows_is_unknown(given: str, unknown: ReconcilerError) -> None:
    one = only(given, alerts=(), unknown=unknown)
    assert (one.kind, one.is_known) == ("unknown", False)
    assert one.words[0] == "unknown to Opsgenie and PagerDuty, as far as their keys can see"


def test_without_keys_nothing_is_asked_and_the_missing_ones_are_named() -> None:
    (one,) = verdicts("17", Searches(), RUNNING, NOW)
    assert (one.kind, one.is_known) == ("not asked", False)
    assert one.words[0] == "to look further, set OPSGENIE_API_KEY and PAGERDUTY_API_KEY as the daemon has it"
    (half,) = verdicts("nope", Searches(alerts=Vendors()), RUNNING, NOW)
    assert half.words[:2] == (
        "unknown to Opsgenie, as far as their keys can see",
        "to look further, set PAGERDUTY_API_KEY as the daemon has it",
    )


def test_the_terms_that_keep_an_alert_out_are_named() -> None:
    running = querying("tag:prod AND priority:P1 AND (tag:a OR tag:b)")
    one = only(running=running, inside=("tag:prod",))
    assert (one.kind, one.terms) == ("outside the query", ("priority:P1", "tag:a OR tag:b"))
    assert one.words == ("OPSGENIE_QUERY keeps it out: it does not match `priority:P1` and `tag:a OR tag:b`",)


def test_a_term_that_changes_while_an_alert_lives_is_not_certain() -> None:
    one = only(running=querying("status:open AND tag:x"), inside=("tag:x",))
    assert one.words[1] == "this is so now; status may have been otherwise when it was raised"


def test_an_alert_that_the_search_does_not_show_is_not_certain() -> None:
    one = only("a-1", running=querying("tag:prod"), indexed=False)
    assert (one.kind, one.terms) == ("outside the query", ())
    assert "is not certain" in one.words[0]


def test_a_term_that_opsgenie_refuses_is_named() -> None:
    one = only(running=querying("tag:prod AND nonsense"), inside=("tag:prod",), refuses="nonsense)")
    assert one.kind == "outside the query"
    assert one.words == (
        "Opsgenie refuses OPSGENIE_QUERY: 422: cannot parse",
        "Opsgenie refuses the term `nonsense`: 422: cannot parse",
    )


def test_terms_that_match_one_by_one_and_not_together_are_not_certain() -> None:
    one = only(running=querying("tag:prod AND tag:x"), inside=("tag:prod", "tag:x"))
    assert "not certain why" in one.words[0]


def test_an_alert_within_the_query_goes_on_to_the_other_reasons() -> None:
    assert only(running=querying("tag:prod"), inside=("tag:prod",)).kind == "not seen yet"


@pytest.mark.parametrize(
    ("running", "changed", "kind", "words"),
    [
        (Running(Positions()), {}, "not running", "no reconciler has finished a first start on this database: "),
        (Running(Positions(), "vm:17"), {}, "not running", "; vm:17 leads: see `reconciler status`"),
        (
            RUNNING,
            {"open": False, "updated_at": at(-200)},
            "closed before",
            "before the first start at 2026-11-23",
        ),
        (
            replace(RUNNING, retention=timedelta(minutes=30)),
            {"open": False},
            "forgotten",
            "(RETENTION_SECONDS), and was forgotten",
        ),
        (RUNNING, {}, "not seen yet", "the last whole poll of Opsgenie ended at 2026-11-23 09:59:55Z"),
        (Running(Positions(origin=WORKS.origin)), {}, "not seen yet", "Opsgenie was never polled completely"),
        (
            replace(RUNNING, late=1.0),
            {},
            "not seen yet",
            "that is long ago, and vm:17 led last: is `reconciler run`",
        ),
        (Running(WORKS, late=1.0), {}, "not seen yet", "that is long ago, and nobody leads"),
        (replace(RUNNING, pauses=("paused for a move",)), {}, "not seen yet", "paused for a move"),
    ],
)
def test_an_alert_within_the_query_is_not_tracked_for_one_reason(
    running: Running, changed: dict[str, Any], kind: str, words: str
) -> None:
    one = only(running=running, alerts=(replace(ALERT, **changed),))
    assert one.kind == kind
    assert words in " | ".join(one.words)


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        (
            {"service_id": "POTHER"},
            "another service",
            "it belongs to service POTHER; PAGERDUTY_SERVICE_ID is PSVC",
        ),
        ({"key": ""}, "no alert's key", "it has no incident_key"),
        ({"key": "a-9"}, "not followed", "`reconciler explain a-9`"),
    ],
)
def test_an_incident_that_is_not_followed_is_answered_for(changed: dict[str, str], kind: str, words: str) -> None:
    one = only("PINC1", alerts=(), incidents={"PINC1": incident(url="https://acme.pagerduty.com/x", **changed)})
    assert (one.kind, one.url) == (kind, "https://acme.pagerduty.com/x")
    assert one.name == 'incident #4711 "Disk full" (PINC1)'
    assert words in one.words[0]


def test_a_number_may_be_an_alert_and_an_incident() -> None:
    assert [one.kind for one in found("#17", incidents={"17": incident(key="")})] == [
        "not seen yet",
        "no alert's key",
    ]


def test_a_refused_key_is_raised() -> None:
    class Refusing(Vendors):
        def find(self, query: str) -> list[Alert]:
            raise Refused(f"OPSGENIE_API_KEY: {query}")

    with pytest.raises(Refused):
        verdicts("17", Searches(Refusing()), RUNNING, NOW)


def test_every_verdict_of_a_database_of_jsm_speaks_of_jsm() -> None:
    of_jsm = replace(RUNNING, positions=replace(WORKS, source="jsm"), query="status: open AND tag: b")
    never = replace(of_jsm, positions=replace(of_jsm.positions, polled_alerts=None))
    told = [
        *found(running=of_jsm),
        *found(running=of_jsm, indexed=False),
        *found(running=of_jsm, refuses="tag"),
        *found(running=of_jsm, inside=("status: open", "tag: b")),
        *found(running=replace(never, query="")),
        *found("99", running=of_jsm, alerts=()),
        *found("9", running=of_jsm, alerts=(), incidents={"9": incident(key="")}),
        *verdicts("17", Searches(), of_jsm, NOW),
    ]
    words = " ".join(word for verdict in told for word in verdict.words)
    for expected in ("JSM refuses JSM_QUERY", "JSM refuses the term", "JSM_QUERY keeps it out", "JSM's search",
                     "JSM was never polled", "whole poll of JSM", "an alert of JSM", "unknown to JSM",
                     "set JSM_API_TOKEN and PAGERDUTY_API_KEY", "each term of JSM_QUERY"):  # fmt: skip
        assert expected in words, expected
    assert "OPSGENIE" not in words.upper()
