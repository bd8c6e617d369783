"""A state after the alerts' move to JSM, as one set of alerts: each in both products is one alert.

It has the id that it had in Opsgenie, or in JSM if it never was in Opsgenie. Notes and log entries are those that
were written in either product; what was repeated from the other product is left out, so that each act counts once.
"""

from collections.abc import Iterable
from typing import Any

from reconciler.sandbox.audit.events import SNOOZE_ENDED
from reconciler.sandbox.wire import Json


def united(state: Json, followed: str) -> Json:
    """The state with one set of alerts; `followed` is the product whose states count. As it is before the move."""
    if "jsm" not in state:
        return state
    by_id = {alert["id"]: alert for alert in state["opsgenie"]["alerts"]}
    of_jsm = {alert["opsgenie_id"] or alert["id"]: alert for alert in state["jsm"]["alerts"]}
    ids = {alert["id"]: key for key, alert in of_jsm.items()}
    views = {
        key: {name: alerts[key] for name, alerts in (("opsgenie", by_id), ("jsm", of_jsm)) if key in alerts}
        for key in (*by_id, *(key for key in of_jsm if key not in by_id))
    }
    incidents = [
        incident | {"incident_key": ids.get(incident["incident_key"], incident["incident_key"])}
        for incident in state["pagerduty"]["incidents"]
    ]
    return state | {
        "opsgenie": {"alerts": [_alert(key, of_both, followed) for key, of_both in views.items()]},
        "pagerduty": state["pagerduty"] | {"incidents": incidents},
        "journal": [_act(act, ids) for act in state["journal"]],
    }


def _act(act: Json, ids: dict[str, str]) -> Json:
    """An act; what was done in JSM is an act on the alerts' side, too."""
    known = act | {"alert_id": ids.get(act["alert_id"], act["alert_id"])}
    return known if act["side"] == "pagerduty" else known | {"side": "opsgenie", "product": act["side"]}


def _alert(key: str, views: dict[str, Json], followed: str) -> Json:
    """One alert. `views` are what each product shows of it; rows that were repeated have `copy_of` there."""
    views = {name: view | {"logs": _logs(view, views["opsgenie"])} for name, view in views.items()} if (
        len(views) > 1
    ) else views  # fmt: skip
    shown = views.get(followed) or next(iter(views.values()))
    first = next(iter(views.values()))
    return shown | {
        "id": key,
        "tinyId": first["tinyId"],
        "notes": _written(views, "notes"),
        "logs": _written(views, "logs"),
        "views": {name: view["logs"] for name, view in views.items()},
    }


def _logs(view: Json, of_opsgenie: Json) -> list[Json]:
    """The log entries. Each product ends a snooze by itself: in the second one that is a repetition."""
    if view is of_opsgenie:
        return list(view["logs"])
    ends = {line["createdAt"]: line["offset"] for line in of_opsgenie["logs"] if line["log"] == SNOOZE_ENDED}
    return [
        {"copy_of": ends[line["createdAt"]]} | line
        if line["log"] == SNOOZE_ENDED and line["createdAt"] in ends
        else line
        for line in view["logs"]
    ]


def _written(views: dict[str, Json], name: str) -> list[Json]:
    """The rows that were written in either product, oldest first, and when each appeared in the other one."""
    appeared = appearances(row for view in views.values() for row in view[name])
    rows = [
        row | {"product": product, "elsewhere": appeared.get(row["offset"])}
        for product, view in views.items()
        for row in view[name]
        if "copy_of" not in row
    ]
    return sorted(rows, key=lambda row: str(row["offset"]))


def appearances(rows: Iterable[Json]) -> dict[str, Any]:
    """By the token of an original, the time at which it was repeated."""
    return {row["copy_of"]: row["createdAt"] for row in rows if "copy_of" in row}
