"""Finding the alerts of known pairs in another product, which may have given them other ids.

No vendor says what is kept when alerts move to another product. So each pair is looked for by its id first, then
by its alias, then by what the alert says and when it was raised; what was found last is the least certain.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.baselines import kept_title
from reconciler.core.model import Alert, Pair

SAME_ALERT = timedelta(seconds=1)
"""How far two products' creation times of one alert may differ: one of them may cut milliseconds."""
SAME_WORDS = timedelta(seconds=2)
"""How far they may differ when the alert's message is the only other sign."""


class Match(StrEnum):
    """The result of looking for one pair's alert in another product."""

    SAME = "same"  # under the same id
    REKEYED = "rekeyed"  # under another id
    DIFFERS = "differs"  # under either, but its state is not the one last known
    AMBIGUOUS = "ambiguous"  # several alerts fit equally well
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A pair's match. `alert` is the other product's alert, if exactly one was found; `among` are several ids."""

    match: Match
    alert: Alert | None = None
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matching:
    """The verdicts by the pairs' alert ids, and the alerts that no pair matches."""

    verdicts: Mapping[str, Verdict]
    unmatched: tuple[Alert, ...]


class AlertIndex:
    """Alerts of another product by everything that a pair may be found by."""

    def __init__(self, alerts: Iterable[Alert]) -> None:
        self.by_id: dict[str, Alert] = {}
        self._by_alias: dict[str, list[Alert]] = defaultdict(list)
        self._by_words: dict[tuple[str, int], list[Alert]] = defaultdict(list)
        for alert in alerts:
            if alert.id in self.by_id:
                continue
            self.by_id[alert.id] = alert
            if alert.alias:
                self._by_alias[alert.alias].append(alert)
            self._by_words[kept_title(alert), _span(alert.created_at)].append(alert)

    def candidates(self, pair: Pair) -> tuple[Alert, ...]:
        """Every alert that may be the pair's under another id, each once."""
        found = [*self._by_alias.get(pair.alert_id, ()), *self._by_alias.get(pair.alias, ())]
        if pair.created_at is not None:
            span = _span(pair.created_at)
            for near in (span - 1, span, span + 1):
                found += self._by_words.get((pair.title, near), ())
        return _each_once(found)

    def offered(self, pair: Pair) -> tuple[Alert, ...]:
        """Every alert that may be the pair's, the one with its id first."""
        same = self.by_id.get(pair.alert_id)
        return _each_once((*((same,) if same else ()), *self.candidates(pair)))


def match(pair: Pair, by_id: Alert | None, candidates: Sequence[Alert], *, keeps_times: bool = False) -> Verdict:
    """The verdict on one pair. `by_id` is the alert with its id, if there is one; `candidates` are all others.

    `keeps_times`: it is known that the other product keeps creation times, so that an alert with the same alias
    and another time is another alert.
    """
    offered = _each_once((*((by_id,) if by_id else ()), *candidates))
    for rule in _rules(keeps_times=keeps_times):
        fit = rule(pair, offered)
        if fit:
            return _verdict(pair, fit)
    return Verdict(Match.MISSING)


def match_all(pairs: Iterable[Pair], index: AlertIndex) -> Matching:
    """The verdicts on all pairs. No two pairs get the same alert: the more certain match has it.

    Of several pairs that an alert fits equally well, such as those that had one alias one after the other, the one
    with its creation time has it.
    """
    left = {pair.alert_id: pair for pair in pairs}
    keeps_times = any(_keeps_time(pair, index.candidates(pair)) for pair in left.values())
    verdicts: dict[str, Verdict] = {}
    taken: set[str] = set()
    for rule in _rules(keeps_times=keeps_times):
        claims: dict[str, list[Pair]] = defaultdict(list)
        for pair in left.values():
            offered = [alert for alert in index.offered(pair) if alert.id not in taken]
            fit = rule(pair, offered)
            if len(fit) > 1:
                verdicts[pair.alert_id] = _verdict(pair, fit)
            elif fit:
                claims[fit[0].id].append(pair)
        for alert_id, claiming in claims.items():
            alert = index.by_id[alert_id]
            owners = [pair for pair in claiming if _is_near(pair, alert, SAME_ALERT)] or claiming
            verdicts |= {pair.alert_id: _verdict(pair, [alert], rivals=len(owners) - 1) for pair in owners}
        taken |= set(claims)
        left = {alert_id: pair for alert_id, pair in left.items() if alert_id not in verdicts}
    verdicts |= dict.fromkeys(left, Verdict(Match.MISSING))
    named = taken.union(*(verdict.among for verdict in verdicts.values()))
    return Matching(verdicts, tuple(alert for alert_id, alert in index.by_id.items() if alert_id not in named))


def _verdict(pair: Pair, fit: Sequence[Alert], rivals: int = 0) -> Verdict:
    """The verdict for these fitting alerts. `rivals` are other pairs that the only one fits equally well."""
    if len(fit) > 1 or rivals:
        return Verdict(Match.AMBIGUOUS, among=tuple(alert.id for alert in fit))
    (alert,) = fit
    if _differs(pair, alert):
        return Verdict(Match.DIFFERS, alert)
    return Verdict(Match.SAME if alert.id == pair.alert_id else Match.REKEYED, alert)


def _differs(pair: Pair, alert: Alert) -> bool:
    """Whether the alert shows another state than the snapshot. A closed one's acknowledgement says nothing."""
    if alert.open is not None and alert.open != pair.alerts.open:
        return True
    return pair.alerts.open and alert.acknowledged is not None and alert.acknowledged != pair.alerts.acknowledged


def _with_same_id(pair: Pair, offered: Sequence[Alert]) -> list[Alert]:
    """The alert with the pair's id, unless what is known of both shows that it is another one."""
    fit = [alert for alert in offered if alert.id == pair.alert_id]
    if pair.created_at is not None:
        fit = [alert for alert in fit if _is_near(pair, alert, SAME_ALERT)]
    if not pair.alias and not pair.title:
        return fit
    return [alert for alert in fit if _has_alias(pair, alert) or _has_words(pair, alert)]


def _with_old_id_as_alias(pair: Pair, offered: Sequence[Alert]) -> list[Alert]:
    """Alerts whose alias is the pair's id, which Opsgenie gives as alias where the sender gave none."""
    fit = [alert for alert in offered if alert.alias == pair.alert_id]
    return [alert for alert in fit if _is_near(pair, alert, SAME_ALERT)] or fit


def _with_same_alias(pair: Pair, offered: Sequence[Alert]) -> list[Alert]:
    """Alerts with the pair's alias: those with its creation time, or all of them if none has it.

    An alias is used again once its alert is closed: then an open alert with the alias of a closed one is another.
    """
    fit = [alert for alert in offered if _has_alias(pair, alert)]
    near = [alert for alert in fit if _is_near(pair, alert, SAME_ALERT)]
    still_open = [alert for alert in fit if alert.open]
    return near or ((still_open or fit) if pair.alerts.open else [alert for alert in fit if not alert.open])


def _with_same_alias_and_time(pair: Pair, offered: Sequence[Alert]) -> list[Alert]:
    """The same where creation times are kept: with another time, it is another alert with that alias."""
    if pair.created_at is None:
        return _with_same_alias(pair, offered)
    return [alert for alert in offered if _has_alias(pair, alert) and _is_near(pair, alert, SAME_ALERT)]


def _with_same_words(pair: Pair, offered: Sequence[Alert]) -> list[Alert]:
    """Alerts with the pair's message that were raised at the same time."""
    return [alert for alert in offered if _has_words(pair, alert) and _is_near(pair, alert, SAME_WORDS)]


def _rules(*, keeps_times: bool) -> tuple[Callable[[Pair, Sequence[Alert]], list[Alert]], ...]:
    """How a pair's alert is recognised, the most certain sign first."""
    by_alias = _with_same_alias_and_time if keeps_times else _with_same_alias
    return _with_same_id, _with_old_id_as_alias, by_alias, _with_same_words


def _keeps_time(pair: Pair, candidates: Sequence[Alert]) -> bool:
    return any(_has_alias(pair, alert) and _is_near(pair, alert, SAME_ALERT) for alert in candidates)


def _has_alias(pair: Pair, alert: Alert) -> bool:
    return bool(pair.alias) and alert.alias == pair.alias


def _has_words(pair: Pair, alert: Alert) -> bool:
    return bool(pair.title) and kept_title(alert) == pair.title


def _is_near(pair: Pair, alert: Alert, within: timedelta) -> bool:
    return pair.created_at is not None and abs(alert.created_at - pair.created_at) <= within


def _each_once(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    return tuple({alert.id: alert for alert in alerts}.values())


def _span(at: datetime) -> int:
    """The span of time that a creation falls into; one within SAME_WORDS of it falls into the same or the next."""
    return int(at.timestamp() // SAME_WORDS.total_seconds())
