"""Reading all variables from their sources: their values, where each comes from, and all problems at once.

No problem shows a secret.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.settings_names import OURS, is_placeholder, meant, misspelt
from reconciler.settings_sources import Found, Layer, look_up, read_dotenv
from reconciler.settings_texts import Wrong, host_and_port, is_plain_http, passwords, shown

SHORTEST_HIDDEN = 4  # characters: anything shorter would black out innocent text


@dataclass(frozen=True, slots=True)
class Variable:
    """The parser of one environment variable. A secret may come from a file and is never shown.

    `needs` says what to give for a variable that has no default; with a `source`, it is required only if alerts
    are read from that product. `alias` is a second name of the variable.
    """

    parse: Callable[[str], object]
    secret: bool = False
    needs: str = ""
    source: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that names a variable, what is wrong and the fix. `missing`: the variable, if it is not set."""

    line: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sources of settings say: the values, where each comes from, and all that is wrong.

    `values` are parsed, by field; `texts` and `origins` are by variable, for those that are set. `hidden` are the
    secrets among the texts.
    """

    values: dict[str, Any] = field(repr=False)
    texts: dict[str, str] = field(repr=False)
    origins: dict[str, str]
    told: tuple[Problem, ...]
    warnings: tuple[str, ...]
    hidden: tuple[str, ...] = field(repr=False)

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each problem."""
        return tuple(each.line for each in self.told)


@dataclass(frozen=True, slots=True)
class Base:
    """The environment and a .env file, what of that file cannot be read, and names in both that are misspelt."""

    layers: tuple[Layer, ...] = field(repr=False)
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def read_all(
    every: Mapping[str, Variable],
    environ: Mapping[str, str],
    dotenv: Path | None,
    wanted: Mapping[str, Variable] | None = None,
) -> Reading:
    """The variables (of `every`, or only the wanted ones), as far as they can be read."""
    wanted = wanted or every
    return read_from_base(every, read_base(every, environ, dotenv, wanted), wanted)


def read_from_base(every: Mapping[str, Variable], base: Base, wanted: Mapping[str, Variable]) -> Reading:
    """The same from a base that has been read already: a pipe gives a secret once."""
    found = read_layers(every, (base.layers,), wanted)
    told = (*map(Problem, base.problems), *found.told)
    return replace(found, told=told, warnings=base.warnings)


def read_base(
    every: Mapping[str, Variable], environ: Mapping[str, str], dotenv: Path | None, wanted: Mapping[str, Variable]
) -> Base:
    """The sources of settings that each process has. Misspelt names are looked for among the wanted ones."""
    problems: list[str] = []
    layers = (Layer("environment", environ), read_dotenv(dotenv, problems))
    problems += _misnamed(layers[1], every)
    warnings: list[str] = []
    for problem, is_certain in _misspelt_in(environ, wanted):
        (problems if is_certain else warnings).append(problem)
    return Base(layers, tuple(problems), tuple(warnings))


def read_layers(
    every: Mapping[str, Variable], groups: Sequence[Sequence[Layer]], wanted: Mapping[str, Variable]
) -> Reading:
    """The wanted variables, each from the first group that sets it under any of its names."""
    layers = [layer for group in groups for layer in group]
    problems: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    origins: dict[str, str] = {}
    values: dict[str, Any] = {}
    read_from = {_text_of(name, every, groups) or default for name, default in _SOURCES.items()}
    missing: set[str] = set()
    for name, each in wanted.items():
        try:
            found = _look_up(name, each, groups)
            if found.origin:
                origins[name] = found.origin
            if found.text:
                texts[name] = found.text
                values[name.lower()] = each.parse(found.text)
            elif each.needs and (not each.source or each.source in read_from):
                missing.add(name)
                problems.append((name, f"is missing; give {each.needs}{_or_file(name, each)}"))
        except Wrong as wrong:
            texts.setdefault(name, "")  # it is set: other variables that depend on it are not reported
            problems.append((name, str(wrong)))
    problems += _placeholders(texts, every)
    problems += _contradictions(texts)
    problems += _empty(texts, layers)
    hidden = _hidden((*(layer.texts for layer in layers), texts), every)
    told = [
        Problem(_without(f"{called(name, layers)}: {words}", hidden), name if name in missing else "")
        for name, words in problems
    ]
    return Reading(values, texts, origins, tuple(told), (), hidden)


_SOURCES = {"ALERT_SOURCE": "opsgenie", "ALERT_SHADOW": ""}
"""Variables that name a product which alerts are read from, and their defaults."""


def _text_of(name: str, every: Mapping[str, Variable], groups: Sequence[Sequence[Layer]]) -> str:
    return _look_up(name, every[name], groups).text


def _look_up(name: str, each: Variable, groups: Sequence[Sequence[Layer]]) -> Found:
    """The variable's text, under its name or its alias. Wrong if one group gives both and they differ."""
    for layers in groups:
        found = look_up(name, layers, secret=each.secret)
        other = look_up(each.alias, layers, secret=each.secret) if each.alias else Found()
        if found.text and other.text and found.text != other.text:
            raise Wrong(
                f"and {each.alias} are names of one setting, and have different values; remove one of them"
            )
        given = found if found.text or not other.origin else other
        if given.origin:
            return given
    return Found()


def called(name: str, layers: Iterable[Layer]) -> str:
    """The variable's name in a message: its key in the routes file if it is set there."""
    return next((layer.called(name) for layer in layers if layer.sets(name)), name)


def _names(known: Mapping[str, Variable]) -> list[str]:
    """The names that may be set for these variables."""
    names = [name + end for name, each in known.items() for end in (("", "_FILE") if each.secret else ("",))]
    return [*names, *(each.alias for each in known.values() if each.alias)]


_ONLY_OURS = ("OPSGENIE_", "PAGERDUTY_", "JSM_", "ON_OPSGENIE", "ON_PAGERDUTY", "ON_ALERT")
"""Beginnings of names that are nobody else's in a .env file."""


def _misnamed(dotenv: Layer, every: Mapping[str, Variable]) -> Iterator[str]:
    """Names in the .env file that are near one of ours, or look like ours, and are not."""
    known = _names(every)
    for name in dotenv.texts:
        if name in known:
            continue
        nearest = meant(name, known)
        if not nearest and name.startswith(_ONLY_OURS):
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        if nearest:
            yield f"{name}: there is no such variable; {dotenv.name} perhaps means {nearest}"


def _misspelt_in(environ: Mapping[str, str], wanted: Mapping[str, Variable]) -> Iterator[tuple[str, bool]]:
    """Names in the environment that are near one of ours; whether each is certainly a mistake."""
    for name, nearest in misspelt(environ, _names(wanted)):
        if nearest.startswith(OURS):
            yield f"{name}: there is no such variable; the environment perhaps means {nearest}", True
        else:
            yield f"{name}: is not read; if {nearest} is meant, rename it", False


def _placeholders(texts: Mapping[str, str], every: Mapping[str, Variable]) -> Iterator[tuple[str, str]]:
    """Values of .env-example that were left in place."""
    for name, text in texts.items():
        if is_placeholder(name, text, texts):
            each = every[name]
            yield name, f"is still the placeholder of .env-example; give {each.needs}{_or_file(name, each)}"


def _contradictions(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Problems with values that are valid by themselves and contradict each other."""
    for name, opens in _OPENED_BY.items():
        if name in texts and opens not in texts:
            yield name, f"is of no use without {opens}, which opens the fast path; set that, or remove it"
    if "OPSGENIE_HEARTBEAT" in texts and texts.get("ALERT_SOURCE") == "jsm" and "OPSGENIE_API_KEY" not in texts:
        words = "Opsgenie takes it with OPSGENIE_API_KEY only, which is not set; set that, or use HEARTBEAT_URL"
        yield "OPSGENIE_HEARTBEAT", words
    if texts.get("ALLOW_PLAIN_HTTP") != "yes":
        yield from _in_the_clear(texts)
    if "STATUS_PASSWORD" not in texts and _is_open(texts.get("STATUS_LISTEN", "")):
        words = (
            f"{shown(texts['STATUS_LISTEN'])} can be reached from other machines, which needs a STATUS_PASSWORD "
            "(or STATUS_PASSWORD_FILE); set that, or listen on 127.0.0.1"
        )
        yield "STATUS_LISTEN", words


_OPENED_BY = {
    "OPSGENIE_WEBHOOK_SECRET": "OPSGENIE_INTEGRATION_ID",
    "JSM_WEBHOOK_SECRET": "JSM_WEBHOOK_INTEGRATION_ID",
}
"""Secrets of the fast path, and the variables that open it."""
_GUARDS = _OPENED_BY | {"STATUS_PASSWORD": "STATUS_LISTEN"}
"""Secrets without which an entrance is open, and the variables that open it."""


def _empty(texts: Mapping[str, str], layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """Secrets that are given as nothing, as by a template without its value, and leave an entrance open so."""
    for name, opens in _GUARDS.items():
        given = {name, f"{name}_FILE"} & {each for layer in layers for each in layer.texts}
        if opens in texts and name not in texts and given:
            yield name, f"is empty, which lets everybody in; give a value{_FILE.format(name)}, or remove it"


def _in_the_clear(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Addresses to which a secret would be sent over http, where others on the way can read it."""
    words = (
        "begins with http://, so that everybody on the way can read the secrets that are sent; give https://, or "
        "set ALLOW_PLAIN_HTTP=yes if the way is safe"
    )
    for name in ("PAGERDUTY_API_URL", "OPSGENIE_API_URL", "JSM_API_URL", "JSM_SITE_URL", "HEARTBEAT_URL"):
        if is_plain_http(texts.get(name, "")):
            yield name, words


def _is_open(listen: str) -> bool:
    """Whether other machines can connect to this address; a malformed one is a problem of its own."""
    try:
        return bool(listen) and not host_and_port(listen).is_loopback
    except Wrong:
        return False


_FILE = ", or its file's path as {}_FILE"


def _or_file(name: str, read: Variable) -> str:
    return _FILE.format(name) if read.secret else ""


def _hidden(given: Iterable[Mapping[str, str]], every: Mapping[str, Variable]) -> tuple[str, ...]:
    """The secrets among the given texts. Of the database's address only the password is one."""
    found: list[str] = []
    for texts in given:
        for name, each in every.items():
            text = texts.get(name, "") if each.secret else ""
            found += passwords(text) if name == "DATABASE_URL" else [text]
    return tuple(text for text in found if len(text) >= SHORTEST_HIDDEN)


def _without(problem: str, secrets: Iterable[str]) -> str:
    """The problem without secrets in the values that it quotes. Its own words, with their examples, stay."""
    for secret in secrets:
        problem = _QUOTED.sub(lambda quoted: quoted[0].replace(secret, "***"), problem)  # noqa: B023 - called here
    return problem


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
"""A value as `settings_texts.shown` quotes it."""
