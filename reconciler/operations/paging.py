"""Reasons why nobody is paged for an alert, as texts for the log, readiness and `status`."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from reconciler.core.model import Pair
from reconciler.observability.naming import alert_name, counted, listed, pair_name, span
from reconciler.store.overview import Paging, WaitingPage

WAITING_PAGE_GRACE = timedelta(seconds=30)
"""How long a page may wait with an error before it is reported by itself."""
MOST_NAMED = 5
"""The most alerts that one text names."""
UNPAGED = "unpaged"
"""Prefix of the keys for incidents that exist and page nobody."""


def named(paging: Paging, problems: Iterable[str]) -> frozenset[str]:
    """The keys of objections that these problems, which are reported at the same time, already state."""
    said = "\n".join(problems)
    known = [pair for pair in paging.unpaged if pair.unpaged in said]
    every = {UNPAGED} if len(known) == len(paging.unpaged) else set()
    return frozenset(every | {f"{UNPAGED} {pair.alert_id}" for pair in known})


def objections(paging: Paging, now: datetime, *, are_made: bool = True) -> list[tuple[str, str]]:
    """Each reason once, as (key, text); the key stays the same for as long as the reason lasts.

    `are_made`: false while an operator holds pages back, so that it is no trouble that they wait.
    """
    found = []
    if len(paging.unpaged) > MOST_NAMED:
        words = f"{_alerts(paging, [pair.alert_id for pair in paging.unpaged])}: {paging.unpaged[0].unpaged}"
        found.append((UNPAGED, f"nobody is paged for {words}"))
    else:
        found += [(f"{UNPAGED} {pair.alert_id}", f"nobody is paged for {_why(pair)}") for pair in paging.unpaged]
    if paging.dead:
        one = len(paging.dead) == 1
        words = f"{counted(len(paging.dead), 'page')} {'is' if one else 'are'} dead"
        alerts = _alerts(paging, [page.alert_id for page in paging.dead])
        fix = "see `reconciler status`, then `reconciler retry --all`"
        found.append(("dead", f"{words} ({alerts}): {paging.dead[0].error}; {fix}"))
    late = [page for page in paging.waiting if are_made and now - page.since > WAITING_PAGE_GRACE]
    if late:
        found.append(("waiting", _waiting(paging, late, now)))
    return found


def _why(pair: Pair) -> str:
    return f"{pair_name(pair.alert_id, pair)}: {pair.unpaged}"


def _waiting(paging: Paging, late: list[WaitingPage], now: datetime) -> str:
    verb = "waits" if len(late) == 1 else "wait"
    oldest = span(now - min(page.since for page in late))
    why = next((page.error for page in late if page.error), "")
    words = (
        f"{counted(len(late), 'page')} {verb} ({_alerts(paging, [page.alert_id for page in late])}), the oldest "
    )
    return f"{words}for {oldest}" + (f": {why}" if why else "")


def _alerts(paging: Paging, alert_ids: list[str]) -> str:
    names = [alert_name(each, paging.names.get(each)) for each in alert_ids[:MOST_NAMED]]
    more = [f"{len(alert_ids) - MOST_NAMED} more"] if len(alert_ids) > MOST_NAMED else []
    return listed([*names, *more])
