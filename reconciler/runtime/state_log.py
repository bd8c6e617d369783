"""Log of lasting states: a line at the beginning, reminders while the state lasts, and a line at its end.

A subject is what a state is about: a vendor, the pages, the database, the lock, the work as a whole, the
heartbeats, an outage's incident, or one alert that a vendor refuses in one way. Each of these is a state of its
own, so that no trouble hides another.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from reconciler.core.journal_entries import without_request
from reconciler.core.model import Action, Kind, Side, Status
from reconciler.core.product import OPSGENIE, Product
from reconciler.errors import Misconfigured, RateLimited, Transient, Unknown
from reconciler.observability.defects import Defect
from reconciler.observability.logs import get_logger
from reconciler.observability.naming import PairNames, counted, kinds_of, listed, names_of, span
from reconciler.reconcile.problems import Problem
from reconciler.store.troubles import KeptTrouble, public
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

OVER_AFTER = 90.0
"""Seconds, longer than any pause between two reads of one alert: what was not met for so long is over."""
MOST_OBJECTS = 1000
"""The most alerts whose troubles are remembered individually."""
MOST_NAMED = 5
"""The most alerts that one reminder names."""
WORK = "work"
"""The subject of a defect that concerns no single alert."""
_OWN = ("pages", "database", "secrets", "lock", WORK, "heartbeat", "outage", "second_reconciler")
SUBJECTS = (*(side.value for side in Side), *_OWN, "objects")
"""Every counted subject; `objects` are all alerts that a vendor refuses while it accepts others."""
OPTIONAL = ("routes", "shadow", "priorities")
"""Subjects of what only some installations have: counted only while there is trouble with them."""

_CALL = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE) /\S*: ")
"""The call that met an error: what the operator has to change does not depend on it."""
_WHOLE = frozenset((*(side.value for side in Side), *_OWN, *OPTIONAL))
"""Subjects that are about no single alert."""
_OVER = {"second_reconciler": "no trace of a second reconciler any more"}
"""What is said at the end of a state that does not mean that something works again."""

Names = Callable[[Collection[str]], Mapping[str, PairNames]]
"""Returns the names of pairs by alert id; unknown alerts are left out."""


@dataclass(slots=True)
class Trouble:
    """A lasting state. `words` and `keys` are its present texts; `said` are the keys logged so far.

    `met` are errors of waiting actions: while one of those waits, the state is not over. `narrow`: met only by
    reads of single alerts, which are rarer than cycles. `waited` are the actions that waited meanwhile. `current`
    is false if another trouble covers it: it is over except for pages that are not made, or it is about pages that
    the vendor's own trouble names.
    """

    subject: str
    since: datetime
    began: float
    reminded: float
    seen: float
    words: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    said: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    narrow: bool = False
    waited: dict[int, Kind] = field(default_factory=dict)
    alert_id: str = ""
    serious: bool = True
    spoken: bool = False
    current: bool = True


class StateLog:
    """The states of one process. `names` is called only when something is logged."""

    def __init__(
        self,
        clock: Clock,
        remind: float,
        names: Names = lambda _: MappingProxyType({}),
        product: Product = OPSGENIE,
    ) -> None:
        self._product = product
        own = {each: each.replace("_", " ").capitalize() for each in (*_OWN, *OPTIONAL)}
        self._heads = own | {side.value: product.name_of(side) for side in Side}
        self._clock = clock
        self._remind = remind
        self._names = names
        self._troubles: dict[str, Trouble] = {}
        self._open: tuple[Action, ...] = ()

    # -- logging --

    def say(
        self,
        subject: str,
        words: str,
        *,
        serious: bool = True,
        key: str | None = None,
        error: Exception | None = None,
    ) -> None:
        """Set the state of one subject; empty words end it. `error` is logged with the state."""
        if words:
            known = without_request(words) if key is None else key
            self._meet(subject, [(known, words)], serious=serious, error=error)
        elif subject in self._troubles:
            self._over(self._troubles.pop(subject))

    def met(self, problems: Iterable[Problem], actions: Iterable[Action]) -> None:
        """Take in problems of some of the pairs. They can begin states, but never end one."""
        self._note(problems, tuple(actions))

    def cycle(
        self,
        problems: Iterable[Problem],
        actions: Iterable[Action],
        pages: Sequence[tuple[str, str]],
        named: Collection[str] = (),
    ) -> None:
        """Take in the problems and open actions of a whole cycle.

        `pages` gives, by key, why somebody is not paged. Reasons that the problems state themselves have their
        keys in `named` and are not logged again. States that this cycle has not met are over, unless an action
        that waits because of them shows otherwise.
        """
        acted = tuple(actions)
        self._open = tuple(a for a in acted if a.status.is_open and (a.error or a.status is Status.PLANNED))
        met = self._note(problems, acted)
        if pages:
            self._meet("pages", pages, unsaid=named)
        elif "pages" in self._troubles:
            self._over(self._troubles.pop("pages"))
        for trouble in self._troubles.values():
            trouble.waited |= {action.id: action.kind for action in self._open if _concerns(trouble, action)}
        for subject in [each for each in self._troubles if each not in met and _is_of_a_vendor(each)]:
            if not self._lasts(self._troubles[subject]):
                self._end(self._troubles.pop(subject), acted)
        self._remind_all()

    def _note(self, problems: Iterable[Problem], acted: tuple[Action, ...]) -> set[str]:
        by_subject: dict[str, list[Problem]] = {}
        for problem in problems:
            if not _is_dead(problem, acted):  # it is logged once, with the action
                by_subject.setdefault(_subject(problem), []).append(problem)
        waits = {action.error for action in acted if action.status.is_open and action.error}
        for subject, mine in by_subject.items():
            is_new = subject not in _WHOLE and subject not in self._troubles
            if is_new and len(self._troubles) >= MOST_OBJECTS:
                continue
            said = {_key(problem): str(problem.error) for problem in mine}
            serious = not isinstance(mine[0].error, RateLimited)
            is_object = bool(mine[0].alert_id) and subject not in _WHOLE
            alert_id = mine[0].alert_id if is_object and serious else ""  # a rate limit is of no alert's own
            was_wide = subject in self._troubles and not self._troubles[subject].narrow
            trouble = self._meet(subject, list(said.items()), serious=serious, alert_id=alert_id)
            is_narrow = is_object or all(p.alert_id and isinstance(p.error, Unknown) for p in mine)
            trouble.narrow = is_narrow and not was_wide
            trouble.met |= waits & {str(problem.error) for problem in mine}
        return set(by_subject)

    def _meet(
        self,
        subject: str,
        found: Sequence[tuple[str, str]],
        *,
        serious: bool = True,
        alert_id: str = "",
        error: Exception | None = None,
        unsaid: Collection[str] = (),
    ) -> Trouble:
        now, moment = self._clock.monotonic(), self._clock.now()
        trouble = self._troubles.setdefault(
            subject, Trouble(subject, moment, now, now, now, serious=serious, alert_id=alert_id)
        )
        trouble.seen, trouble.current = now, any(key not in unsaid for key, _ in found)
        trouble.words = tuple(dict.fromkeys(without_request(words) for _, words in found))
        trouble.keys = tuple(sorted({key for key, _ in found}))
        for key, words in found:
            if key not in trouble.said:
                trouble.said.add(key)
                if key in unsaid:
                    continue
                trouble.reminded, trouble.spoken = now, True
                self._write(trouble, words, error=error)
        return trouble

    def _end(self, trouble: Trouble, acted: tuple[Action, ...]) -> None:
        """End a state. Actions that died meanwhile are not counted as working again; they have been logged."""
        if not any(action.status is Status.DEAD and action.error in trouble.met for action in acted):
            self._over(trouble)

    def _over(self, trouble: Trouble) -> None:
        if not (trouble.serious and trouble.spoken):
            return
        lasted = self._clock.monotonic() - trouble.began
        waited = kinds_of(trouble.waited.values())
        over = _OVER.get(trouble.subject, "works again")
        words = f"{over} after {span(lasted)}" + (f"; {waited} had waited" if waited else "")
        self._write(trouble, words, write=log.info, lasted_seconds=round(lasted, 1))

    def _remind_all(self) -> None:
        now = self._clock.monotonic()
        lasting = (each for each in self._troubles.values() if each.current)
        due = [each for each in lasting if now - each.reminded >= self._remind]
        for trouble in due:
            trouble.reminded, trouble.spoken = now, True
            if not trouble.alert_id:
                self._write(trouble, self._still(trouble))
        objects = [trouble for trouble in due if trouble.alert_id]
        if len(objects) == 1:
            self._write(objects[0], self._still(objects[0]))
        elif objects:
            self._write_objects(objects)

    def remind(self) -> None:
        """Log reminders of lasting states when no cycle is completed."""
        self._remind_all()

    def _write_objects(self, objects: list[Trouble]) -> None:
        oldest = min(objects, key=lambda trouble: trouble.began)
        named = self._names([trouble.alert_id for trouble in objects[:MOST_NAMED]])
        names = [named.get(each.alert_id) or names_of(each.alert_id) for each in objects[:MOST_NAMED]]
        shown = [each.words for each in names]
        more = [counted(len(objects) - MOST_NAMED, "other")] if len(objects) > MOST_NAMED else []
        since = self._since(oldest)
        words = f"still refused: {listed([*shown, *more])}; the oldest {since}: {'; '.join(oldest.words)}"
        log.error(words, subject="objects", pairs=[each.fields() for each in names])

    def _still(self, trouble: Trouble) -> str:
        name = self._heads.get(trouble.subject, "")
        words = "; ".join(each.removeprefix(f"{name}: ") for each in trouble.words)
        line = f"{name}: still {words}" if name else f"still {words}"
        return f"{line}, {self._since(trouble)}{self._backlog(trouble)}"

    def _since(self, trouble: Trouble) -> str:
        """Beginning of the state in UTC, and its duration."""
        lasts = span(self._clock.monotonic() - trouble.began)
        return f"since {trouble.since.astimezone(UTC):%H:%M} UTC ({lasts})"

    def _backlog(self, trouble: Trouble) -> str:
        waiting = [action for action in self._open if _concerns(trouble, action)]
        if not waiting:
            return ""
        oldest = span(self._clock.now() - min(action.at for action in waiting))
        verb = "waits" if len(waiting) == 1 else "wait"
        return f": {kinds_of(action.kind for action in waiting)} {verb}, the oldest for {oldest}"

    def _write(
        self,
        trouble: Trouble,
        words: str,
        *,
        write: Callable[..., object] | None = None,
        error: Exception | None = None,
        **fields: object,
    ) -> None:
        """Log a line about the trouble, under the names of its pair if it is about one."""
        fields |= {} if error is None else {"exc_info": error}
        named = self._names([trouble.alert_id]) if trouble.alert_id else {}
        name = named.get(trouble.alert_id) or names_of(trouble.alert_id)
        write = write or (log.error if trouble.serious else log.info)
        write(
            ": ".join([*_name_in(named, trouble), words]),
            subject=self._product.word(public(trouble.subject)),
            **(name.fields() if trouble.alert_id else {}),
            **fields,
        )

    # -- queries --

    def _lasts(self, trouble: Trouble) -> bool:
        """Whether something shows that the state lasts, although this cycle has not met it."""
        waiting = [action for action in self._open if _concerns(trouble, action)]
        if any(action.error in trouble.met for action in waiting):
            return True
        if trouble.narrow and not trouble.met and self._clock.monotonic() - trouble.seen < OVER_AFTER:
            return True
        if trouble.subject != Side.PAGERDUTY.value:
            return False
        unmade = any(action.kind is Kind.CREATE_INCIDENT and action.error for action in waiting)
        trouble.current = unmade
        return unmade or "pages" in self._troubles

    def _lasting(self) -> list[Trouble]:
        return [each for each in self._troubles.values() if each.serious and each.current]

    def lasts(self, subject: str) -> bool:
        """Whether the subject has a state."""
        return subject in self._troubles

    def lasting(self) -> tuple[KeptTrouble, ...]:
        """All serious states, the oldest first, as `status` shows them."""
        serious = sorted(self._lasting(), key=lambda each: each.began)
        named = self._names([each.alert_id for each in serious if each.alert_id])
        return tuple(
            KeptTrouble(each.subject, each.since, ": ".join([*_name_in(named, each), "; ".join(each.words)]))
            for each in serious
        )

    def signature(self) -> tuple[object, ...]:
        """A value that changes when the set of lasting states does, and not with the figures in their texts."""
        return tuple((each.subject, each.since, each.keys) for each in self._lasting())

    def counts(self) -> dict[str, int]:
        """Number of troubles by subject, of a fixed set of subjects."""
        found = dict.fromkeys(SUBJECTS, 0)
        for trouble in self._lasting():
            subject = public(trouble.subject)
            found[subject] = found.get(subject, 0) + 1
        return found


def _subject(problem: Problem) -> str:
    """The subject of a problem: the vendor, or one alert there and the kind of refusal."""
    if isinstance(problem.error, RateLimited):
        return f"{problem.side.value} rate"
    if isinstance(problem.error, Defect) and not problem.alert_id:
        return WORK
    if problem.alert_id and not isinstance(problem.error, Transient | Misconfigured):
        return f"{problem.side.value} {problem.alert_id} {type(problem.error).__name__}"
    return problem.side.value


def _name_in(named: Mapping[str, PairNames], trouble: Trouble) -> list[str]:
    """The display name of the trouble's alert, if there is one and it is known."""
    return [named[trouble.alert_id].words] if trouble.alert_id in named else []


def _is_of_a_vendor(subject: str) -> bool:
    return subject.partition(" ")[0] in {WORK, *(side.value for side in Side)}


def _concerns(trouble: Trouble, action: Action) -> bool:
    """Whether the action waits for the end of this trouble, judged by its vendor."""
    if trouble.alert_id and action.alert_id != trouble.alert_id:
        return False
    if trouble.subject == "pages":
        return action.kind is Kind.CREATE_INCIDENT
    return trouble.subject.partition(" ")[0] == action.kind.side.value


def _is_dead(problem: Problem, actions: tuple[Action, ...]) -> bool:
    """Whether the problem belongs only to an action that was given up at the same time."""
    words = str(problem.error)
    return not isinstance(problem.error, Transient | Misconfigured) and any(
        action.status is Status.DEAD
        and action.alert_id == problem.alert_id
        and action.error
        and action.error in words
        for action in actions
    )


def _key(problem: Problem) -> str:
    """Identity of a problem: its kind; if the operator has to change something, its state or its text."""
    error = problem.error
    if not isinstance(error, Misconfigured):
        return type(error).__name__
    return error.state or _CALL.sub("", without_request(str(error)))
