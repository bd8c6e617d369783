"""What a report must not contain: keys, people's names and addresses, hosts that are not a vendor's API.

Names are learned from the vendors' answers. A report says in which form a name appears, never the name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.observability.logs import printable, redaction
from reconciler.vendors.json_fields import mapping, text

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"(https?://)([\w.-]+(?::\d+)?)")
_PUBLIC = frozenset(
    {
        "api.opsgenie.com",
        "api.eu.opsgenie.com",
        "api.pagerduty.com",
        "api.eu.pagerduty.com",
        "api.atlassian.com",
        "github.com",
    }
)
"""Hosts that every customer has in common."""
_MACHINES = frozenset({"", "system", "alert api", "opsgenie", "jsm", "jira service management"})
"""Owners of records that are no people, in lower case."""
_OWNERS = ("owner", "acknowledgedBy", "closedBy", "displayName", "emailAddress")
SHORTEST_NAME = 3
"""The least number of characters of a name: replacing a shorter one would damage unrelated text."""


class Redaction:
    """Replaces what must not be shown. `known` are names and addresses with the words that stand for them.

    `ours` are texts that the probe has made up, which stay.
    """

    def __init__(self, secrets: Iterable[str], known: Mapping[str, str], ours: Iterable[str] = ()) -> None:
        self._hide = redaction(secrets)
        self._ours = frozenset(ours)
        self._forms = {name: form for name, form in known.items() if len(name) >= SHORTEST_NAME}

    def learn(self, answer: Any) -> None:
        """Learn the names of the people in a vendor's answer."""
        for name in _people(answer):
            if len(name) >= SHORTEST_NAME and name.lower() not in _MACHINES and name not in self._ours:
                self._forms.setdefault(name, "(a person's name)")

    def text(self, found: str) -> str:
        """The text as one printable line without any of that."""
        for name in sorted(self._forms, key=len, reverse=True):
            found = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self._forms[name], found)
        found = _EMAIL.sub("(an e-mail address)", str(self._hide(found)))
        return printable(_ADDRESS.sub(_public, found))


def _public(address: re.Match[str]) -> str:
    return address[0] if address[2] in _PUBLIC else f"{address[1]}(host)"


def _people(value: Any) -> Iterator[str]:
    """Names and addresses of people anywhere in a document."""
    if isinstance(value, list):
        for each in value:
            yield from _people(each)
    row = mapping(value)
    if text(row.get("type")).startswith("user"):
        yield from (text(row.get(name)) for name in ("summary", "name", "email"))
    yield from (text(row.get(name)) for name in _OWNERS)
    for each in row.values():
        if isinstance(each, list | dict):
            yield from _people(each)
