"""Parsers for the settings of an incident's content: its title, its priority, and the details in its body."""

import re

from reconciler.core import title
from reconciler.settings_texts import Wrong, plain, shown

ALL, NONE = "all", "none"
"""The words of INCIDENT_DETAILS that are no names of details."""


def title_template(text: str) -> str:
    """The template of an incident's title, for `core.title`."""
    plain(text)
    fields = ", ".join(f"{{{name}}}" for name in title.FIELDS)
    unknown = title.unknown_fields(text)
    if unknown:
        raise Wrong(
            f"{shown(text)} has the unknown field {{{unknown[0]}}}; there are {fields}; "
            "write a brace that belongs to the title twice: {{ or }}"
        )
    if title.has_stray_brace(text):
        raise Wrong(f"{shown(text)} has a brace without its counterpart; write it twice to have it in the title")
    if not title.has_field(text):
        raise Wrong(
            f"{shown(text)} gives each incident the same title; give for example [{{priority}}] {{message}}"
        )
    return text


def detail_names(text: str) -> tuple[str, ...]:
    """Names of details, comma-separated, or ALL or NONE alone."""
    names = tuple(name.strip() for name in plain(text).split(","))
    if not all(names):
        raise Wrong(f"{shown(text)} has an empty name; give all, none, or names such as host,runbook")
    words = [name for name in names if name in (ALL, NONE)]
    if words and names[1:]:
        raise Wrong(f'{shown(text)} has "{words[0]}" among names; give {words[0]} alone, or names of details only')
    return names


def priority_names(text: str) -> tuple[tuple[str, str], ...]:
    """The name of PagerDuty's priority for each of the alert's, such as P1=SEV-1,P2=SEV-2."""
    found: dict[str, str] = {}
    for part in plain(text).split(","):
        priority, separator, name = (each.strip() for each in part.partition("="))
        priority = priority.upper()
        if not (separator and name and re.fullmatch(r"P[1-5]", priority)):
            raise Wrong(
                f"{shown(part.strip())} is not a priority of alerts and the name of one of PagerDuty's; "
                "give for example P1=SEV-1,P2=SEV-2"
            )
        if priority in found:
            raise Wrong(f"has {priority} twice; give each priority of alerts once")
        found[priority] = name
    return tuple(found.items())
