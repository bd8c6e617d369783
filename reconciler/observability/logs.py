"""What is told of the work: every metric in one table, and one line per event on stderr without a secret in it.

Our own events and those of the libraries meet in one handler, so that there is one place where secrets are
blacked out: after an exception has become text, before anything is rendered.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, cast
from urllib.parse import quote

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor

from reconciler.core.model import Action, Kind, Pair, Plan, Side, Status, World


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: a row of the table below, and of the README's.

    `known`: values of the labels that are there with 0 from the start, so that the first time is seen as a rise.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()


_OUTCOMES = (
    *(("done", "written"), ("done", "seen"), ("dropped", "not_needed")),
    *(("retried", "not_executed"), ("retried", "not_seen"), ("retried", "plainer"), ("retried", "refused")),
    *(("unknown", "unknown"), ("unknown", "was_there")),
    *(("dead", "missing"), ("dead", "not_seen"), ("dead", "rejected")),
)
"""What a write can come to, and why."""
_CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_CYCLE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_LAG = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

METRICS = (
    Metric("reconciler_build_info", "gauge", "Always 1; which version this is.", ("version", "python")),
    Metric("reconciler_lock_held", "gauge", "1 while this process does the work, 0 while it stands by."),
    Metric("reconciler_cycles_attempted_total", "counter", "Cycles begun."),
    Metric("reconciler_cycles_succeeded_total", "counter", "Cycles that ended without any problem."),
    Metric("reconciler_cycle_duration_seconds", "histogram", "Time that a finished cycle took.", (), _CYCLE),
    Metric(
        "reconciler_last_good_cycle_timestamp_seconds", "gauge", "When a cycle last ended without any problem."
    ),
    Metric(
        "reconciler_glances_total",
        "counter",
        "Looks at what webhooks hinted at.",
        ("result",),
        known=(("done",), ("failed",)),
    ),
    Metric(
        "reconciler_requests_total",
        "counter",
        "Requests to the vendors; status none: no answer.",
        ("vendor", "method", "endpoint", "status"),
    ),
    Metric(
        "reconciler_request_duration_seconds",
        "histogram",
        "Time that a request to a vendor took.",
        ("vendor", "method", "endpoint"),
        _CALL,
    ),
    Metric(
        "reconciler_rate_budget_remaining_requests",
        "gauge",
        "Requests that the tightest known rate limit still allows now.",
        ("vendor",),
    ),
    Metric(
        "reconciler_actions_total",
        "counter",
        "What became of writes: done, dropped, dead, retried or unknown; and the class of the reason.",
        ("kind", "result", "reason"),
        known=tuple((kind.value, *outcome) for kind, outcome in product(Kind, _OUTCOMES)),
    ),
    Metric("reconciler_actions_pending", "gauge", "Writes that wait for their turn."),
    Metric("reconciler_actions_in_flight", "gauge", "Writes sent or accepted whose effect is not proved yet."),
    Metric("reconciler_actions_unknown", "gauge", "Writes that got no answer which tells; their target is asked."),
    Metric(
        "reconciler_actions_dead",
        "gauge",
        "Writes given up, until `reconciler retry` puts them back.",
        ("kind",),
    ),
    Metric(
        "reconciler_oldest_pending_seconds",
        "gauge",
        "Age of the oldest write that is not done, whatever it waits for; 0 when there is none.",
    ),
    Metric(
        "reconciler_pages_waiting",
        "gauge",
        "Incidents still to be created, or to page again, that have met an error, or are a minute old.",
    ),
    Metric("reconciler_unpaged_pairs", "gauge", "Incidents that page nobody although they should."),
    Metric("reconciler_troubles", "gauge", "Troubles that last now, as the log says them.", ("subject",)),
    Metric("reconciler_open_pairs", "gauge", "Alerts and incidents that are followed and not over."),
    Metric(
        "reconciler_divergence_pairs",
        "gauge",
        "Pairs open on both sides of which one side is acknowledged and the other is not.",
    ),
    Metric(
        "reconciler_divergence_oldest_seconds", "gauge", "For how long the longest of them has been seen to be so."
    ),
    Metric(
        "reconciler_lag_seconds",
        "histogram",
        "From a person's act to the proof that it is mirrored, by the kind of write.",
        ("kind",),
        _LAG,
    ),
    Metric(
        "reconciler_echoes_total",
        "counter",
        "Our own doings that were recognised.",
        ("side", "guard"),
        known=tuple((side.value, guard) for side, guard in product(Side, ("ledger", "author", "mark"))),
    ),
    Metric(
        "reconciler_webhooks_total",
        "counter",
        "Webhooks received, also those refused unread.",
        ("vendor", "outcome"),
    ),
)
"""Every metric there is. Labels have few values: no id, no name, no text of anybody's is among them."""


def metrics_table() -> str:
    """The same for people, as Markdown: what the README shows."""
    rows = [
        f"| `{row.name}` | {row.kind} | {', '.join(f'`{label}`' for label in row.labels)} | {row.help} |"
        for row in METRICS
    ]
    return "\n".join(["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows])


class Watch:
    """Whoever counts what the engine does. This one looks away."""

    def committed(self, plan: Plan, world: World) -> None:
        """A plan is written down: baselines, what became of earlier writes, echoes."""

    def outcome(self, action: Action, status: Status, reason: str) -> None:
        """A write has come to something. `reason` is a class with few values, not a text."""

    def saved(self, pair: Pair) -> None:
        """A write of our own has moved a baseline."""


NOBODY = Watch()

HIDDEN = "***"
SHORTEST = 4  # characters: anything shorter would black out innocent text

_COMMON: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def get_logger(name: str) -> BoundLogger:
    """A logger whose events are a text and named values. It may be made before `configure`, and obeys it."""
    return cast(
        "BoundLogger",
        structlog.wrap_logger(
            logging.getLogger(name),
            processors=[
                structlog.stdlib.filter_by_level,
                *_COMMON,
                structlog.stdlib.PositionalArgumentsFormatter(),
                ProcessorFormatter.wrap_for_formatter,
            ],
            wrapper_class=BoundLogger,
            cache_logger_on_first_use=True,
        ),
    )


def configure(log_format: Literal["text", "json"] | None, level: str, secrets: Iterable[str]) -> None:
    """Set logging up, or anew. Without a format: text on a terminal, else JSON. Libraries speak from WARNING."""
    chosen = log_format or ("text" if sys.stderr.isatty() else "json")
    handler = _Stderr()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_COMMON,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                _blacken(secrets),
                _text if chosen == "text" else structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    for earlier in [item for item in root.handlers if isinstance(item, _Stderr)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    logging.getLogger("reconciler").setLevel(level)
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


class _Stderr(logging.Handler):
    """Writes to what stderr is at that moment. A failure to log never fails, and never shows the event."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, at once."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001  whatever it is, the work goes on
            line = f"an event of {record.name} cannot be rendered: {type(error).__name__}"
        try:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # closed, or nobody reads it: there is nowhere left to say so
            pass


def _blacken(secrets: Iterable[str]) -> Processor:
    """The processor that replaces every secret, also as it looks when quoted, and makes all values plain."""
    looks = {look for secret in secrets for look in (secret, repr(secret)[1:-1], quote(secret, safe=""))}
    longest_first = sorted((re.escape(look) for look in looks if len(look) >= SHORTEST), key=len, reverse=True)
    hide: Callable[[str], str] = (
        (lambda text: text) if not longest_first else lambda text: re.sub("|".join(longest_first), HIDDEN, text)
    )

    def plain(value: object) -> Any:
        if isinstance(value, Mapping):
            return {hide(str(key)): plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(item) for item in value]
        text = str(value)
        hidden = hide(text)
        return value if value is None or (isinstance(value, bool | int | float) and hidden == text) else hidden

    def process(_logger: object, _method: str, event: EventDict) -> EventDict:
        return cast("EventDict", plain(event))

    return process


def _text(_logger: object, _method: str, event: EventDict) -> str:
    """Time, level and text, then what is known as name=value: for people, and still in one line."""
    time, level, said = (event.pop(key, "") for key in ("timestamp", "level", "event"))
    name = event.pop("logger", "")
    where = () if name.startswith("reconciler") else (f"[{name}]",)
    values = (f"{key}={_value(item)}" for key, item in event.items())
    return " ".join((time, f"{level.upper():<8}", *where, printable(str(said)), *values))


def _value(item: object) -> str:
    """A value that is told apart from the next one: quoted where it must be."""
    if isinstance(item, str) and re.fullmatch(r"[^\s\"=]+", item) and item.isprintable():
        return item
    return printable(json.dumps(item, ensure_ascii=False))


def printable(text: str) -> str:
    """What is unprintable is escaped: a line break or a terminal's control sequence cannot forge an event."""
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
