"""Steps in PagerDuty: acknowledgements and their end, in the state and in the log, and in whose name."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from reconciler.probe.findings import Finding, as_assumed, differs, judged, not_settled
from reconciler.probe.incidents import agent_of, just_before, kind_of, telling
from reconciler.probe.trial import Trial
from reconciler.probe.wire import Json, NotSettled
from reconciler.vendors.json_fields import items, mapping, text

SNOOZE = 5
"""Seconds of a snooze, whose end is the end of an acknowledgement by time."""
SNOOZE_PATIENCE = 75.0
"""Seconds within which PagerDuty must end it."""
LOG_PATIENCE = 20.0
"""Seconds within which an entry must be in a log."""
WAY_PATIENCE = 8.0
"""The same for each way to un-acknowledge, of which there are many."""


def acknowledgement_in_the_log(trial: Trial) -> Iterator[Finding]:
    """An acknowledgement: its entry in the incident's log and in the account's, and who is named."""
    _check_known(trial)
    incidents, incident = trial.incidents, trial.new_incident()
    incident_id, began = _id(incident), just_before(incident)
    before = incidents.own_log(incident_id)
    incidents.acknowledged(incident_id)

    def own() -> list[Json]:
        return [e for e in telling(incidents.own_log(incident_id), before) if kind_of(e) == "acknowledge"]

    def of_account() -> list[Json]:
        return [e for e in incidents.in_account_log(incident_id, began) if kind_of(e) == "acknowledge"]

    found, took = trial.until(own, LOG_PATIENCE)
    yield _entry_finding(trial, "An acknowledgement is in the incident's log, in its author's name", found, took)
    found, took = trial.until(of_account, LOG_PATIENCE)
    yield judged(
        "An acknowledgement is in the account's log, with its incident",
        f"there after {took:.0f} s" if found else f"not there within {took:.0f} s",
        "acts are found by the sweep only: set SWEEP_INTERVAL_SECONDS lower",
        holds=bool(found),
    )


def end_by_time(trial: Trial) -> Iterator[Finding]:
    """An acknowledgement that ends by time (a snooze of some seconds): the state, and its entry in the log."""
    incidents, incident_id = trial.incidents, _id(trial.new_incident())
    incidents.acknowledged(incident_id)
    before = incidents.own_log(incident_id)
    incidents.snooze(incident_id, SNOOZE).needed("a snooze")
    ended, took = trial.until(lambda: incidents.status(incident_id) == "triggered", SNOOZE_PATIENCE)
    question = "The end of an acknowledgement by time is told from an un-acknowledgement by a person"
    if not ended:
        yield not_settled(question, f"a snooze of {SNOOZE} s has not ended within {took:.0f} s")
        return
    entries, _ = trial.until(
        lambda: [e for e in telling(incidents.own_log(incident_id), before) if kind_of(e) == "unacknowledge"],
        LOG_PATIENCE,
    )
    seen = _described(trial, entries)
    holds = bool(entries) and not any(text(agent_of(entry).get("type")).startswith("user") for entry in entries)
    yield judged(
        question,
        f"triggered after {took:.0f} s; the log: {seen}",
        "ON_PAGERDUTY_ACK_TIMEOUT cannot tell them apart: an acknowledgement that ends by time may be mirrored as "
        "a person's; give the service no acknowledgement timeout",
        holds=holds,
    )


def unacknowledging(trial: Trial) -> Iterator[Finding]:
    """Each way to un-acknowledge by the API, at low and at high urgency: the state, the assignees, the log."""
    for urgency in ("low", "high"):
        yield from _ways(trial, urgency)


def _ways(trial: Trial, urgency: str) -> Iterator[Finding]:
    incidents, incident = trial.incidents, trial.new_incident(urgency)
    incident_id = _id(incident)
    policy = text(mapping(incident.get("escalation_policy")).get("id"))
    seen, working, logged = [], [], []
    for name, change in trial.ways(policy, trial.person):
        incidents.acknowledged(incident_id)
        before = incidents.own_log(incident_id)
        reply = incidents.change(incident_id, **change)
        shown = mapping(reply.body.get("incident")) if reply.ok else incidents.incident(incident_id)
        status = text(shown.get("status")) or "unreadable"
        if status == "triggered":
            entries, _ = trial.until(partial(_new_entries, trial, incident_id, before), WAY_PATIENCE)
            kinds = ", ".join(dict.fromkeys(map(kind_of, entries))) or "no entry"
            whom = "others" if _pages_others(trial, shown) else "the automation user alone"
            seen.append(f"{name}: triggered, assigned to {whom}, log: {kinds}")
            working += [name] if whom == "others" else []
            logged += [name] if entries else []
        else:
            seen.append(f"{name}: {reply.words}, stays {status}")
    yield judged(
        f"A known call un-acknowledges an incident of {urgency} urgency",
        "; ".join(seen),
        "nobody is paged when an acknowledgement is taken back in the alert: set ON_OPSGENIE_UNACKNOWLEDGE=note, "
        "and take the automation user off every escalation policy",
        holds=bool(working),
    )
    if working:
        silent = sorted(set(working) - set(logged))
        yield judged(
            f"What un-acknowledges an incident of {urgency} urgency is in its log",
            f"in the log: {', '.join(logged) or 'none'}; without an entry: {', '.join(silent) or 'none'}",
            "what people do so is found by the sweep only, and without their names",
            holds=not silent,
        )


def _new_entries(trial: Trial, incident_id: str, before: list[Json]) -> list[Json]:
    return telling(trial.incidents.own_log(incident_id), before)


def _pages_others(trial: Trial, incident: Json) -> bool:
    """Whether somebody besides the automation user is assigned; assignees that are not shown are assumed."""
    assigned = incident.get("assignments")
    if not isinstance(assigned, list):
        return True
    return any(mapping(mapping(each).get("assignee")).get("id") != trial.person.id for each in assigned)


def urgency(trial: Trial) -> Iterator[Finding]:
    """An incident that is created with an urgency, and raised from low to high afterwards."""
    incidents = trial.incidents
    incidents.takes_urgency = True
    reply = incidents.create(urgency="low")
    incident = mapping(reply.body.get("incident"))
    yield judged(
        "PagerDuty takes an urgency when an incident is created",
        f"{reply.words}, urgency {text(incident.get('urgency')) or 'not shown'}",
        "the page is made in its plainest form, without an urgency",
        holds=reply.ok and incident.get("urgency") == "low",
    )
    incident_id = _id(incident if reply.ok else incidents.created())
    reply = incidents.change(incident_id, urgency="high")
    raised = text(mapping(reply.body.get("incident")).get("urgency"))
    yield judged(
        "PagerDuty raises an incident's urgency",
        f"{reply.words}, urgency {raised or 'not shown'}",
        "an alert whose priority rises pages nobody anew: set ON_OPSGENIE_PRIORITY=note",
        holds=reply.ok and raised == "high",
    )


def who_acts(trial: Trial) -> Iterator[Finding]:
    """Whose key it is, and who is named: as acknowledger, as a note's author, as an assignee."""
    incidents = trial.incidents
    _check_known(trial)
    yield _key(trial)
    created = trial.new_incident()
    incident_id, status = _id(created), text(created.get("status"))
    yield judged(
        "What the automation user creates is triggered",
        f"created {status}",
        "the next one on call is paged instead: take the automation user off every schedule and escalation policy",
        holds=status == "triggered",
    )
    shown = incidents.acknowledged(incident_id)
    held = [mapping(mapping(each).get("acknowledger")) for each in items(shown.get("acknowledgements"))]
    yield judged(
        "The acknowledger is the user of the From header",
        _people(trial, held),
        "our own acknowledgements would be mirrored back: give an account's key, or the automation user's",
        holds=bool(held) and all(_is_us(trial, each) for each in held),
    )
    before, after = (_assigned(each) for each in (created, shown))
    yield judged(
        "An acknowledgement changes no assignment",
        "assignees unchanged" if before == after else f"assigned to {_people(trial, after)}",
        "un-acknowledging by status alone would page nobody else; the levels and the policy are tried then",
        holds=before == after,
    )
    note = mapping(incidents.note(incident_id, "A note of the probe.").needed("a note").body.get("note"))
    author = mapping(note.get("user"))
    yield judged(
        "A note's author is the user of the From header",
        _people(trial, [author]),
        "our notes are recognised by their ids and marks alone",
        holds=_is_us(trial, author),
    )


def _key(trial: Trial) -> Finding:
    question = "The key is the account's, or the automation user's own token"
    reply = trial.incidents.api.get("/users/me")
    user = mapping(reply.body.get("user"))
    if not reply.ok:
        seen = f"GET /users/me: {reply.words}"
        if reply.status == 400:  # noqa: PLR2004 - HTTP
            return as_assumed(question, seen)
        return not_settled(question, "PagerDuty does not say whose key it is", seen)
    return judged(
        question,
        "the automation user's own token" if _is_us(trial, user) else "another user's token",
        "incidents alone are created, and all else waits: give an account's key, or the automation user's token",
        holds=_is_us(trial, user),
    )


def _entry_finding(trial: Trial, question: str, entries: list[Json], took: float) -> Finding:
    if not entries:
        return differs(
            question,
            f"no entry within {took:.0f} s",
            "who acknowledged is taken from the incident instead",
        )
    holds = all(_is_us(trial, agent_of(entry)) for entry in entries)
    return judged(
        question,
        f"{_described(trial, entries)}, after {took:.0f} s",
        "acts of the automation user would be taken for another's: see PAGERDUTY_USER",
        holds=holds,
    )


def _described(trial: Trial, entries: list[Json]) -> str:
    """Entries by their kinds, agents and channels, without names."""
    return (
        ", ".join(
            f"{kind_of(entry)} by {_people(trial, [agent_of(entry)])}, "
            f"channel {text(mapping(entry.get('channel')).get('type')) or 'none'}"
            for entry in entries
        )
        or "no entry"
    )


def _people(trial: Trial, found: list[Json]) -> str:
    """References without names: their types, and whether they are the automation user."""
    words = [
        "the automation user" if _is_us(trial, each) else text(each.get("type")) or "nobody" for each in found
    ]
    return " and ".join(dict.fromkeys(words)) or "nobody"


def _check_known(trial: Trial) -> None:
    """NotSettled if it is not known who the automation user is, so that nobody can be compared with it."""
    if not trial.person.id:
        raise NotSettled("PagerDuty does not show the automation user: give PAGERDUTY_USER as the user's id")


def _is_us(trial: Trial, reference: Json) -> bool:
    return reference.get("id") == trial.person.id


def _assigned(incident: Json) -> list[Json]:
    return [mapping(mapping(each).get("assignee")) for each in items(incident.get("assignments"))]


def _id(incident: Any) -> str:
    return text(mapping(incident).get("id"))
