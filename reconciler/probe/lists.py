"""Steps about lists: the log's window and order in PagerDuty, users by e-mail; in JSM what only it has."""

from collections.abc import Iterator
from datetime import timedelta

from reconciler.probe.findings import Finding, differs, judged, not_settled
from reconciler.probe.incidents import ahead, just_before, rows, stamp
from reconciler.probe.trial import Trial, is_acknowledged
from reconciler.probe.wire import Reply
from reconciler.vendors.json_fields import mapping, moment, text

OVERLAP = timedelta(seconds=1)


def windows_of_the_log(trial: Trial) -> Iterator[Finding]:
    """The log from the second of an entry, until a time ahead, and its order; users by their e-mail address."""
    incidents, incident = trial.incidents, trial.new_incident()
    incident_id, began = text(incident.get("id")), just_before(incident)
    found = incidents.users(trial.email)
    ours = [row for row in found if text(row.get("email")).lower() == trial.email.lower()]
    yield judged(
        "PagerDuty finds the automation user by the e-mail address",
        f"{len(found)} users for the address, {len(ours)} of them with it",
        "give PAGERDUTY_USER as the user's id",
        holds=bool(ours),
    )
    trial.pause(OVERLAP.total_seconds() + 0.1)
    incidents.acknowledged(incident_id)
    entries, _ = trial.until(lambda: incidents.in_account_log(incident_id, began))
    reply = incidents.account_log(began, ahead(trial.clock.now()))
    yield judged(
        "PagerDuty's log may be asked for until a time ahead",
        reply.words,
        "the program does not ask for it: nothing is to be set",
        holds=reply.ok or reply.status == 400,  # noqa: PLR2004 - HTTP
    )
    stamps = [at for entry in entries if (at := moment(entry.get("created_at")))]
    if not stamps:
        yield not_settled(
            "PagerDuty's log includes entries of the second in `since`", "the log does not show our acts"
        )
        return
    newest = max(stamps)
    inclusive = incidents.in_account_log(incident_id, newest)
    yield judged(
        "PagerDuty's log includes entries of the second in `since`",
        f"since {stamp(newest)[11:]}: {len(inclusive)} of ours",
        "an entry may be found late: STALENESS_SECONDS, the overlap of two polls, must be above 1",
        holds=bool(inclusive),
    )
    yield _order(trial, incident_id)


def _order(trial: Trial, incident_id: str) -> Finding:
    """Whether both logs list the newest entries first."""
    lists = {
        "account's": rows(trial.incidents.account_log(trial.clock.now() - timedelta(hours=1)), "log_entries"),
        "own": trial.incidents.own_log(incident_id),
    }
    seen = {name: [text(entry.get("created_at")) for entry in found] for name, found in lists.items()}
    words = {
        name: "newest first" if each == sorted(each, reverse=True) else "otherwise" for name, each in seen.items()
    }
    return judged(
        "PagerDuty's logs list the newest entries first",
        ", ".join(f"{name} log: {word}" for name, word in words.items()),
        "a busy account's newest entries are read late: set POLL_INTERVAL_SECONDS lower",
        holds={*words.values()} == {"newest first"},
    )


def states_of_jsm(trial: Trial) -> Iterator[Finding]:
    """The words of `status`, and whether the searches of the feed find together what is open."""
    alerts = trial.alerts
    one = trial.new_alert()
    fresh = text(alerts.alert(one.id).get("status"))
    mine = f'alias:"{one.key}" AND status:open'
    trial.until(lambda: one.id in alerts.ids(mine))
    before = {flag: one.id in alerts.ids(f"{mine} AND acknowledged:{flag}") for flag in ("true", "false")}
    trial.acknowledged(one.id)
    held = text(alerts.alert(one.id).get("status"))
    trial.until(lambda: one.id in alerts.ids(f"{mine} AND acknowledged:true"))
    after = {flag: one.id in alerts.ids(f"{mine} AND acknowledged:{flag}") for flag in ("true", "false")}
    holds = before == {"true": False, "false": True} and after == {"true": True, "false": False}
    trial.acted(one.id, "close")
    closed, _ = trial.until(
        lambda: text(row.get("status")) if alerts.is_closed(row := alerts.alert(one.id)) else ""
    )
    yield judged(
        "JSM: `status:open` with acknowledged:true and with acknowledged:false finds what is open",
        f"not acknowledged: found by {_flags(before)}; acknowledged: found by {_flags(after)}",
        "such alerts are read by their ids at each sweep: more requests; set SWEEP_INTERVAL_SECONDS higher",
        holds=holds,
    )
    yield judged(
        "JSM: the words of `status` are open, acked, snoozed, closed or resolved",
        f"open: {fresh}; acknowledged: {held}; closed: {closed or 'none of the words for it'}",
        "an alert with another word for its end stays open here",
        holds=fresh == "open" and held in ("open", "acked") and closed in ("closed", "resolved"),
    )


def _flags(found: dict[str, bool]) -> str:
    return " and ".join(f"acknowledged:{flag}" for flag, is_found in found.items() if is_found) or "neither"


def owner_of_jsm(trial: Trial) -> Iterator[Finding]:
    """Whose token it is, and in which form the alert shows who has acknowledged it."""
    user, alerts = trial.alert_user, trial.alerts
    question = "JSM: the token's user is told by Jira, and is a person's account"
    if user.refusal:
        yield differs(
            question, user.refusal, "our own acts are recognised by JSM_EMAIL: give the token read:jira-user"
        )
    else:
        yield judged(
            question,
            f"accountType {user.kind or 'not shown'}",
            "a service account may not use the API of alerts: use a person's account",
            holds=user.kind == "atlassian",
        )
    one = trial.new_alert()
    trial.acknowledged(one.id)
    owner, _ = trial.until(lambda: text(alerts.alert(one.id).get("owner")))
    form = user.form(owner)
    yield judged(
        "JSM: who acknowledges becomes the owner, shown by name, e-mail address or account id",
        form,
        "our own acknowledgement is recognised by the outbox alone; people's are told as somebody's",
        holds=form in user.forms.values(),
    )


def sort_of_jsm(trial: Trial) -> Iterator[Finding]:
    """`sort=updatedAt`, which JSM's description does not have."""
    alerts = trial.alerts
    first, second = trial.new_alert(), trial.new_alert()
    trial.pause(0.1)
    trial.noted(first.id, "the older alert changes last")
    trial.acknowledged(first.id)
    mine = " OR ".join(f'alias:"{one.key}"' for one in (first, second))
    trial.until(lambda: {first.id, second.id} <= alerts.ids(mine))
    reply = alerts.listed(mine, "updatedAt")
    listed = [text(row.get("id")) for row in alerts.rows_of(reply)]
    seen = reply.words if not reply.ok else "honoured" if listed[:1] == [first.id] else "ignored"
    yield judged(
        "JSM: sort=updatedAt is honoured, ignored or refused: nothing depends on it",
        seen,
        "the list fails with it in a way that is not a refusal",
        holds=reply.ok or reply.status in (400, 422),
    )


def integration_of_jsm(trial: Trial) -> Iterator[Finding]:
    """An acknowledgement through the integration, in a name: the request's status, and the owner that is shown."""
    keyed, alerts = trial.keyed, trial.alerts
    if keyed is None:
        return
    one = trial.new_alert()
    body = {"user": alerts.user, "source": "reconciler probe"}
    reply = keyed.send("POST", f"/v2/alerts/{one.id}/acknowledge?identifierType=id", body)
    request = text(reply.body.get("requestId"))

    def status() -> Reply | None:
        found = keyed.get(f"/v2/alerts/requests/{request}")
        return found if found.ok else None

    found, took = trial.until(status) if request else (None, 0.0)
    outcome = mapping(found.body.get("data")) if found else {}
    shown, _ = trial.until(lambda: is_acknowledged(alerts.alert(one.id)))
    owner = text(alerts.alert(one.id).get("owner"))
    told = text(outcome.get("status")) or f"not known after {took:.0f} s"
    yield judged(
        "JSM: an integration carries out what it accepts, or its request's status says why not",
        f"{reply.words}; status: {told}; {'acknowledged' if shown else 'not acknowledged'}",
        "such writes are made as our own user after STALENESS_SECONDS: take JSM_INTEGRATION_KEY away",
        holds=shown and outcome.get("isSuccess") is True,
    )
    yield judged(
        "JSM: an integration shows the name that it is given",
        "the name that was given" if owner == alerts.user else trial.alert_user.form(owner),
        "acknowledgements bear another name; a note's mark names the engineer",
        holds=owner == alerts.user,
    )
