"""Steps about refusals: with which status, code and words each vendor turns something away, and about keys."""

from collections.abc import Iterator

from reconciler.probe.findings import Finding, judged, not_settled
from reconciler.probe.trial import Trial
from reconciler.probe.wire import Json, Reply
from reconciler.vendors.integration_api import NOTE_LIMIT
from reconciler.vendors.json_fields import mapping, text

NO_INCIDENT = "QRECONCILERPROBE0"
NO_ALERT = "00000000-0000-4000-8000-000000000000-1700000000000"
NO_REQUEST = "00000000-0000-4000-8000-000000000000"
"""Ids of nothing."""
DUPLICATE = "matching dedup key already exists"
"""The words by which the client recognises that an open incident has the key (found in public code)."""
OVER_LIMIT = NOTE_LIMIT + 1
_TWICE = "an alert may get two incidents: see subject second_incident in the runbook"


def refusals_of_pagerduty(trial: Trial) -> Iterator[Finding]:
    """An unknown incident, an empty note, and redundant acts."""
    incidents = trial.incidents
    for name, reply in (
        ("read of an unknown incident", incidents.read(NO_INCIDENT)),
        ("acknowledgement of an unknown incident", incidents.change(NO_INCIDENT, status="acknowledged")),
    ):
        yield _refused("PagerDuty", name, reply, 404, "an incident that is gone is not recognised: it backs off")
    incident_id = text(trial.new_incident().get("id"))
    yield _refused("PagerDuty", "empty note", incidents.note(incident_id, ""), 400, "nothing is to be set")
    incidents.acknowledged(incident_id)
    again = incidents.change(incident_id, status="acknowledged")
    status = trial.status(incident_id, "acknowledged")
    yield judged(
        "PagerDuty: a second acknowledgement is accepted, or refused without an effect",
        f"{again.words}, then {status}",
        "an acknowledgement that crosses with a person's same act has an effect of its own",
        holds=status == "acknowledged" and (again.ok or again.status == 400),  # noqa: PLR2004 - HTTP
    )
    incidents.resolve(incident_id).needed("a resolution")
    again = incidents.resolve(incident_id)
    status = trial.status(incident_id, "resolved")
    yield judged(
        "PagerDuty: a second resolution is accepted, or refused without an effect",
        f"{again.words}, then {status}",
        "a resolution that crosses with a person's has an effect of its own",
        holds=status == "resolved" and (again.ok or again.status == 400),  # noqa: PLR2004 - HTTP
    )
    late = incidents.change(incident_id, status="acknowledged")
    status = trial.status(incident_id, "acknowledged" if late.ok else "resolved")
    yield judged(
        "PagerDuty: an acknowledgement of a resolved incident reopens it, or is refused",
        f"{late.words}, then {status}",
        "the state of a resolved incident is not what its acknowledgement asked for",
        holds=(late.ok and status == "acknowledged") or (not late.ok and status == "resolved"),
    )


def keys(trial: Trial) -> Iterator[Finding]:
    """A second incident with the key of an open one, at once and later; with the key of a resolved one."""
    incidents = trial.incidents
    first = trial.new_incident()
    incident_id, key = text(first.get("id")), text(first.get("incident_key"))
    yield judged(
        "PagerDuty keeps an incident's key", "kept" if key else "the answer shows none", _TWICE, holds=bool(key)
    )
    yield _second(trial, key, "is refused at once")
    trial.until(lambda: any(row.get("id") == incident_id for row in incidents.open()))
    yield _second(trial, key, "is refused while that one is listed")
    found, _ = trial.until(lambda: incidents.listed(("incident_key", key)))
    yield _found_by_key("PagerDuty finds an incident by its key", found, incident_id, "")
    children = incidents.alerts(incident_id)
    yield judged(
        "PagerDuty lists the alerts of an incident that was created by the API",
        f"{children.words}, {len(mapping(children.body).get('alerts') or [])} alerts",
        "keys of incidents that alerts were merged into are not found",
        holds=children.ok or children.status == 404,  # noqa: PLR2004 - HTTP
    )
    incidents.resolve(incident_id).needed("a resolution")
    reply = incidents.create(key=key)
    again = text(mapping(reply.body.get("incident")).get("id"))
    again_words = {"": "no incident", incident_id: "the same incident"}.get(again, "another incident")
    yield judged(
        "PagerDuty accepts the key of a resolved incident for a new one",
        f"{reply.words}, {again_words}",
        "an alert whose incident was resolved cannot page anew",
        holds=reply.ok and again != incident_id,
    )
    yield _merged(trial)


def _merged(trial: Trial) -> Finding:
    """Whether an incident that another one was merged into is still found by its key."""
    incidents = trial.incidents
    question = "PagerDuty finds an incident by its key after another one was merged into it"
    target, source = trial.new_incident(), trial.new_incident()
    target_id, key = text(target.get("id")), text(target.get("incident_key"))
    reply = incidents.merge(target_id, text(source.get("id")))
    if not reply.ok:
        return not_settled(question, "the merge was refused", reply.words)
    shown = text(incidents.incident(target_id).get("incident_key"))
    found, _ = trial.until(lambda: incidents.listed(("incident_key", key)))
    kept = "keeps its key" if shown == key else "shows another key" if shown else "shows no key"
    return _found_by_key(question, found, target_id, f"it {kept}; ")


def _found_by_key(question: str, found: list[Json], incident_id: str, seen: str) -> Finding:
    seen += f"the search by key finds {len(found)}"
    if not found:
        return not_settled(question, "the list has not shown it in time: see the step pagerduty-delay", seen)
    return judged(
        question,
        seen,
        "an incident whose creation was not answered is not found again: it may be created twice",
        holds=[row.get("id") for row in found] == [incident_id],
    )


def _second(trial: Trial, key: str, when: str) -> Finding:
    reply = trial.incidents.create(key=key)
    return judged(
        f"PagerDuty: a second incident with the key of an open one {when}",
        reply.words + (" created" if reply.ok else ""),
        _TWICE if reply.ok else "the refusal is not recognised as a duplicate: the page is tried again",
        holds=reply.status == 400 and DUPLICATE in reply.words.lower(),  # noqa: PLR2004 - HTTP
    )


def refusals_of_alerts(trial: Trial) -> Iterator[Finding]:
    """An unknown alert, an unknown request, a search that cannot be read, a note that is too long."""
    alerts, product = trial.alerts, trial.alerts.product
    follows = "an alert that is gone is not recognised: it backs off"
    yield _refused(product, "read of an unknown alert", alerts.read(NO_ALERT), 404, follows)
    reply = alerts.act(NO_ALERT, "acknowledge")
    outcome = trial.settled(text(reply.body.get("requestId"))) if reply.ok else {}
    told = text(outcome.get("status"))
    yield judged(
        f"{product}: an act on an unknown alert is refused, or its request fails",
        f"{reply.words}" + (f', then "{told}"' if told else ", then nothing" if reply.ok else ""),
        "what became of such a write is not known: `reconciler status` shows it as unknown",
        holds=reply.status == 404 or outcome.get("isSuccess") is False,  # noqa: PLR2004 - HTTP
    )
    unknown = alerts.receipt(NO_REQUEST)
    kind = unknown.headers.get("X-Opsgenie-Errortype", "none")
    yield judged(
        f"{product}: an unknown request is 404, and not said to be pending",
        f"{unknown.words} (X-Opsgenie-Errortype: {kind})",
        "a write whose request is unknown is waited for, up to STALENESS_SECONDS",
        holds=unknown.status == 404 and kind.lower() != "requestnotprocessed",  # noqa: PLR2004 - HTTP
    )
    bad = alerts.listed("status:(")
    yield judged(
        f"{product}: a search that cannot be read is refused",
        f"{bad.words}" + (f", {len(alerts.rows_of(bad))} rows" if bad.ok else ""),
        "a mistake in the query selects some other alerts without a word: try the query on the website",
        holds=bad.status in (400, 422),
    )
    one = trial.new_alert()
    long = alerts.note(one.id, "x" * OVER_LIMIT)
    yield judged(
        f"{product}: a note of {OVER_LIMIT} characters is refused, not cut",
        f"{long.words}" + (" accepted" if long.ok else ""),
        "nothing is to be set: the reconciler sends none",
        holds=long.ok or long.status in (400, 413, 422),
    )


def _refused(vendor: str, what: str, reply: Reply, status: int, follows: str) -> Finding:
    return judged(f"{vendor}: {what} is {status}", reply.words, follows, holds=reply.status == status)


def rates(trial: Trial) -> Iterator[Finding]:
    """The headers with which each vendor states its rate limit."""
    for vendor, api in (("PagerDuty", trial.incidents.api), (trial.alerts.product, trial.alerts.api)):
        stated = {name.lower(): value for name, value in api.latest.items() if "ratelimit" in name.lower()}
        yield judged(
            f"{vendor} states its rate limit in each answer"
            if vendor != "JSM"
            else "JSM's answers state a limit or none",
            ", ".join(f"{name}: {value}" for name, value in sorted(stated.items())) or "no such header",
            "the limit is learned from refusals (429)",
            holds=bool(stated) or vendor == "JSM",
        )
