"""Late alerts: raised while the reconciler was away, and first seen longer than LATE_SECONDS after that.

ON_LATE_ALERT says what becomes of them: `page` as any other alert; `note`: an incident of low urgency; `skip`: a
baseline, which pages nobody. An alert that only entered the query late, or that a first start or a changed query
shows, is none of them. One that has an incident already is followed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from reconciler.core.model import Observation
from reconciler.core.policy import Policy

PAGE, NOTE, SKIP = "page", "note", "skip"
_BECOMES = {NOTE: "incidents of low urgency", SKIP: "recorded as baselines"}
_HOURS_FROM = timedelta(hours=2)


def treated(observation: Observation, policy: Policy) -> str:
    """How the policy treats this observation as one of a late alert: `note` or `skip`; empty if it does not."""
    alert, seen_at = observation.alert, observation.seen_at
    if observation.pair is not None or observation.incident is not None or alert is None or seen_at is None:
        return ""
    is_late = seen_at - alert.created_at > policy.late
    return policy.on_late_alert if is_late and policy.on_late_alert != PAGE else ""


def without_skipped(observation: Observation, policy: Policy) -> Observation:
    """The observation; as that of a baseline, if the alert is late and skipped."""
    if treated(observation, policy) != SKIP:
        return observation
    return replace(observation, tracked=False)


def delay(observation: Observation) -> str:
    """How late the alert was seen: `first seen 8 h later`; empty if it was not raised during an absence."""
    if observation.alert is None or observation.seen_at is None:
        return ""
    late = observation.seen_at - observation.alert.created_at
    hours, minutes = late // timedelta(hours=1), late // timedelta(minutes=1)
    return f"first seen {f'{hours} h' if late >= _HOURS_FROM else f'{minutes} min'} later"


def why_skipped(observation: Observation, policy: Policy) -> str:
    """Why a late alert is recorded as a baseline; empty if it is none, or if it is not skipped."""
    if treated(observation, policy) != SKIP:
        return ""
    return f"late: {delay(observation)}, as the reconciler was away (ON_LATE_ALERT=skip)"


def lines(counts: Mapping[str, int]) -> list[str]:
    """One line for each treatment of late alerts, with their number: `3 late alerts: recorded as baselines`."""
    return [
        f"{counts[each]} late {'alert' if counts[each] == 1 else 'alerts'}: {words}"
        for each, words in _BECOMES.items()
        if counts.get(each)
    ]
