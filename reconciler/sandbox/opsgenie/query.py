"""The part of Opsgenie's search language that the sandbox knows (Atlassian: "Search queries for alerts").

Fields: those of the tables below, times in epoch milliseconds; `teams` is accepted and matches everything. AND,
OR, NOT and parentheses; a value may be quoted or end in `*`. All else is refused, also `updatedAt`, which is not
documented.
"""

import operator
import re
from collections.abc import Callable

from reconciler.sandbox.opsgenie.state import Alert
from reconciler.sandbox.wire import milliseconds

Match = Callable[[Alert], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<paren>[()])|(?P<word>AND|OR|NOT)\b"
    r"|(?P<field>[A-Za-z]+)\s*(?P<op>:|<=|>=|<|>)\s*(?P<value>\"[^\"]*\"|[^\s()\"]+))"
)
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ":": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_NUMBERS: dict[str, Callable[[Alert], int]] = {
    "createdAt": lambda a: milliseconds(a.created_at),
    "lastOccurredAt": lambda a: milliseconds(a.last_occurred_at),
    "snoozedUntil": lambda a: milliseconds(a.snoozed_until) if a.snoozed_until else 0,
    "count": lambda a: a.count,
}
_EXACT: dict[str, Callable[[Alert], tuple[str, ...]]] = {
    "status": lambda a: (a.status,),
    "acknowledged": lambda a: (str(a.acknowledged).lower(),),
    "snoozed": lambda a: (str(a.snoozed_until is not None).lower(),),
    "isSeen": lambda _: ("false",),
    "tag": lambda a: a.tags,
    "priority": lambda a: (a.priority,),
    "source": lambda a: (a.source,),
    "owner": lambda a: (a.owner,),
    "acknowledgedBy": lambda a: (a.acknowledged_by,),
    "closedBy": lambda a: (a.closed_by,),
    "alias": lambda a: (a.alias,),
    "tinyId": lambda a: (a.tiny_id,),
    "alertId": lambda a: (a.id,),
}
_TEXTS: dict[str, Callable[[Alert], str]] = {
    "message": lambda a: a.message,
    "description": lambda a: a.description,
}
_ALLOWED = {
    "status": ("open", "closed"), "acknowledged": ("true", "false"), "snoozed": ("true", "false"),
    "isSeen": ("true", "false"), "priority": ("P1", "P2", "P3", "P4", "P5"),
}  # fmt: skip


def parse(query: str) -> Match:
    """A query as a predicate; the empty one matches everything. ValueError when any part of it is unknown."""
    if not query.strip():
        return lambda _: True
    parser = _Parser(_tokens(query))
    match = parser.either()
    if parser.peek():
        raise ValueError(f"unexpected {parser.peek()[0]}")
    return match


def _tokens(query: str) -> list[tuple[str, ...]]:
    tokens: list[tuple[str, ...]] = []
    at = 0
    while query[at:].strip():
        found = _TOKEN.match(query, at)
        if found is None:
            raise ValueError(f"cannot parse at: {query[at:].strip()[:40]}")
        at = found.end()
        single = found["paren"] or found["word"]
        tokens.append((single,) if single else (found["field"], found["op"], found["value"]))
    return tokens


class _Parser:
    """Recursive descent: either = both (OR both)*; both = one (AND one)*; one = NOT one | (either) | term."""

    def __init__(self, tokens: list[tuple[str, ...]]) -> None:
        self._tokens = tokens

    def peek(self) -> tuple[str, ...]:
        return self._tokens[0] if self._tokens else ()

    def _take(self) -> tuple[str, ...]:
        if not self._tokens:
            raise ValueError("the query ends too early")
        return self._tokens.pop(0)

    def either(self) -> Match:
        matches = [self._both()]
        while self.peek() == ("OR",):
            self._take()
            matches.append(self._both())
        return lambda alert: any(match(alert) for match in matches)

    def _both(self) -> Match:
        matches = [self._one()]
        while self.peek() == ("AND",):
            self._take()
            matches.append(self._one())
        return lambda alert: all(match(alert) for match in matches)

    def _one(self) -> Match:
        token = self._take()
        if token == ("NOT",):
            negated = self._one()
            return lambda alert: not negated(alert)
        if token == ("(",):
            inner = self.either()
            if self._take() != (")",):
                raise ValueError("a parenthesis is not closed")
            return inner
        if len(token) == 1:
            raise ValueError(f"unexpected {token[0]}")
        return _term(*token)


def _term(field: str, op: str, raw: str) -> Match:
    value = raw.strip('"')
    if field == "teams":
        return lambda _: True
    if field in _NUMBERS:
        return _number(_NUMBERS[field], op, value)
    if op != ":":
        raise ValueError(f"{field} cannot be compared with {op}")
    if field in _TEXTS:
        return _text(_TEXTS[field], value)
    if field in _EXACT:
        return _exact(field, value)
    raise ValueError(f"unknown field {field}")


def _number(read: Callable[[Alert], int], op: str, value: str) -> Match:
    if not value.isdecimal():
        raise ValueError(f"{value} is no number")
    compare, wanted = _COMPARE[op], int(value)
    return lambda alert: compare(read(alert), wanted)


def _text(read: Callable[[Alert], str], value: str) -> Match:
    pattern = re.escape(value.removesuffix("*"))
    end = "" if value.endswith("*") else r"\b"
    found = re.compile(rf"\b{pattern}{end}", re.IGNORECASE)
    return lambda alert: found.search(read(alert)) is not None


def _exact(field: str, value: str) -> Match:
    read = _EXACT[field]
    if field in _ALLOWED and value not in _ALLOWED[field]:
        raise ValueError(f"{field} cannot be {value}")
    if value.endswith("*"):
        start = value.removesuffix("*")
        return lambda alert: any(found.startswith(start) for found in read(alert))
    return lambda alert: value in read(alert)
