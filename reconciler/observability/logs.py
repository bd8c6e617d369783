"""Structured logging to stderr: one line per event, as text or JSON, with secrets redacted.

Events of the program and of libraries pass through one handler, so that secrets are redacted in one place: after
exceptions have become text, and before anything is rendered.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, cast
from urllib.parse import quote

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor

HIDDEN = "***"
LONGEST_VALUE = 8_000
"""Characters of one text in an event; of a longer one, such as a vendor's message, the middle is left out."""
SHORTEST_SECRET = 4
"""The least number of characters of a secret: replacing a shorter one would damage unrelated text."""

_surroundings: Callable[[], Mapping[str, object]] = dict


def surround(fields: Callable[[], Mapping[str, object]]) -> None:
    """Add these fields to every event from now on, as they are in the thread that logs it."""
    global _surroundings  # noqa: PLW0603 - logging is set up once a process, like its handlers
    _surroundings = fields


def _surrounded(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {**_surroundings(), **event}


_COMMON: tuple[Processor, ...] = (
    _surrounded,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def get_logger(name: str) -> BoundLogger:
    """A logger for events of a text and named values. It may be created before `configure`."""
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
    """Set up logging. Default format: text on a terminal, else JSON. Libraries: from WARNING.

    May be repeated, also while other threads log: no event is lost, none is written twice.
    """
    handler = _handler()
    handler.use(log_format or ("text" if sys.stderr.isatty() else "json"), frozenset(secrets))
    logging.getLogger().addHandler(handler)  # does nothing for one that is there
    set_level(level)


def hide(secrets: Iterable[str]) -> None:
    """Redact these, too, besides those of `configure`; format and level stay as they are."""
    handler = _handler()
    handler.use(handler.chosen, handler.secrets | frozenset(secrets))
    logging.getLogger().addHandler(handler)


def set_level(level: str) -> None:
    """The least level of events that are written: of the program's own, and, from WARNING, of libraries."""
    logging.getLogger("reconciler").setLevel(level)
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


class _Stderr(logging.Handler):
    """Writes to the current stderr. An event that cannot be rendered or written raises nothing."""

    chosen: Literal["text", "json"] = "json"
    secrets: frozenset[str] = frozenset()

    def use(self, chosen: Literal["text", "json"], secrets: frozenset[str]) -> None:
        """From the next event on, write in this format and redact these."""
        self.chosen, self.secrets = chosen, secrets
        self.setFormatter(
            ProcessorFormatter(
                foreign_pre_chain=_COMMON,
                processors=[
                    ProcessorFormatter.remove_processors_meta,
                    structlog.processors.StackInfoRenderer(),
                    structlog.processors.format_exc_info,
                    _redact(secrets),
                    _bounded,
                    _in_order,
                    _text if chosen == "text" else _json,
                ],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line and flush it."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - a log line must never stop the work
            line = f"an event of {record.name} cannot be rendered: {type(error).__name__}"
        try:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # stderr is closed: there is nowhere left to report it
            pass


def _handler() -> _Stderr:
    """The handler that is in use, else a new one."""
    return next((item for item in logging.getLogger().handlers if isinstance(item, _Stderr)), None) or _Stderr()


def redaction(secrets: Iterable[str]) -> Callable[[object], Any]:
    """A function that replaces every secret in a value, quoted or not, and reduces it to plain JSON types."""
    forms = {form for secret in secrets for form in (secret, repr(secret)[1:-1], quote(secret, safe=""))}
    longest_first = sorted(
        (re.escape(form) for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True
    )
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

    return plain


def _redact(secrets: Iterable[str]) -> Processor:
    """The processor that replaces every secret in an event."""
    plain = redaction(secrets)

    def process(_logger: object, _method: str, event: EventDict) -> EventDict:
        return cast("EventDict", plain(event))

    return process


def _bounded(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The event with texts of at most LONGEST_VALUE characters, after redaction: no secret is cut in two."""
    return cast("EventDict", _cut(event))


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        end = LONGEST_VALUE // 2
        return f"{value[:end]} … [cut: {len(value):,} characters in all] … {value[-end:]}"
    if isinstance(value, dict):
        return {_cut(name): _cut(item) for name, item in value.items()}
    return [_cut(item) for item in value] if isinstance(value, list) else value


def _in_order(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The event with what every line has first: time, level and text, then its fields; its logger comes last."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    last = {name: event.pop(name) for name in ("logger",) if name in event}
    return {**first, **event, **last}


def _json(_logger: object, _method: str, event: EventDict) -> str:
    """An event for machines in one line."""
    return as_json(event)


def _text(_logger: object, _method: str, event: EventDict) -> str:
    """An event for people in one line: time, level and text, then its values as name=value."""
    time, level, words = (event.pop(key, "") for key in ("timestamp", "level", "event"))
    name = event.pop("logger", "")
    where = () if name.startswith("reconciler") else (f"[{name}]",)
    values = (f"{printable(key)}={_value(item)}" for key, item in event.items())
    return " ".join((time, f"{level.upper():<8}", *where, printable(str(words)), *values))


def _value(item: object) -> str:
    """A value, quoted unless it is one plain word."""
    if isinstance(item, str) and re.fullmatch(r"[^\s\"=]+", item) and item.isprintable():
        return item
    return as_json(item)


def as_json(document: object, indent: int | None = None, *, in_ascii: bool = False) -> str:
    """JSON as the log, `--json` and the HTTP endpoints show it, in lines if it is indented.

    What is unprintable is escaped as in JSON: a terminal that shows the text obeys none of it, and a program that
    parses it gets each value unchanged. With `in_ascii` this holds for every character beyond ASCII.
    """
    lines = json.dumps(document, ensure_ascii=in_ascii, indent=indent).split("\n")
    return "\n".join(map(printable, lines))


def printable(text: str) -> str:
    """The text with unprintable characters escaped: no line break or control sequence can forge an event."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
