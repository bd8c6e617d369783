"""Asks the sandbox all questions, and notes which of its lines refuse a request."""

import ast
import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, get_type_hints

import pytest

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.pagerduty.directory import BOT
from reconciler.sandbox.settings import SandboxSettings
from reconciler.sandbox.wire import Answer, Json, ManualClock, Response, request
from tests.support.contract.ask import Ask
from tests.support.contract.exchange import Exchange, Recorder
from tests.support.contract.places import Lines, places
from tests.support.contract.questions import NAMED, SWITCHED, questions
from tests.support.in_process import KEYS
from tests.support.paths import ROOT

_BASIC = base64.b64encode(f"{KEYS.jsm_email}:{KEYS.jsm_token}".encode()).decode()
_PAGERDUTY = {
    "Authorization": f"Token token={KEYS.pagerduty_key}",
    "Accept": "application/vnd.pagerduty+json;version=2",
    "Content-Type": "application/json",
    "From": BOT.email,
}
_HEADERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/opsgenie/", {"Authorization": f"GenieKey {KEYS.opsgenie_key}", "Content-Type": "application/json"}),
    (NAMED, {"Authorization": f"GenieKey {KEYS.jsm_key}", "Content-Type": "application/json"}),
    ("/jsm/", {"Authorization": f"Basic {_BASIC}", "Content-Type": "application/json"}),
    ("/pagerduty/", _PAGERDUTY),
)
"""The headers of a good request, by what its path begins with."""

_STORY = (
    "acknowledge", "unacknowledge", "acknowledge", "retrigger", "acknowledge", "snooze", "reassign", "resolve",
    "reopen", "acknowledge",
)  # fmt: skip
"""What people do with the second incident, so that its log has every kind of entry."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All questions asked. `wrong`: the answer had another status. `sites`: lines that have refused, by file."""

    exchanges: tuple[Exchange, ...]
    wrong: tuple[str, ...]
    sites: frozenset[Lines]


@cache
def asked() -> Asked:
    """Every question, and SWITCHED with each setting turned round; once for each process."""
    wrong: list[str] = []
    found: dict[object, Exchange] = {}
    with _refusals() as sites:
        for ask in questions():
            exchange = _Stage(ask.knobs).prepared(ask).exchange(ask)
            found[_key(exchange)] = exchange
            if exchange.answer.status != ask.status:
                wrong.append(f"{ask.method} {ask.target}: {exchange.answer.status}, not {ask.status}")
        found |= {_key(exchange): exchange for exchange in _switched()}
    return Asked(tuple(found.values()), tuple(wrong), frozenset(sites))


def _switched() -> Iterator[Exchange]:
    for product, others in (("opsgenie", ("/opsgenie/", "/pagerduty/")), ("jsm", ("/jsm/",))):
        asks = [ask for ask in SWITCHED if ask.target.startswith(others)]
        for knobs in switches():
            stage = _Stage({"jsm_only": product == "jsm"} | knobs, at_first=knobs)
            yield from map(stage.exchange, asks)


def switches() -> Iterator[Json]:
    """Each setting that has a choice, with each of its other values."""
    defaults = SandboxSettings()
    for name, hint in get_type_hints(SandboxSettings, include_extras=True).items():
        kind, (_, *choices) = hint.__origin__, hint.__metadata__
        default = getattr(defaults, name)
        if kind is bool and name != "jsm_only":
            yield {name: not default}
        if kind is str:
            yield from ({name: choice} for choice in choices if choice != default)
        if isinstance(default, tuple) and choices:
            yield {name: ()}


def _key(exchange: Exchange) -> object:
    """The same for equal exchanges: most settings leave most answers as they are."""
    asked_for, answer = exchange.request, exchange.answer
    return asked_for.method, asked_for.path, str(asked_for.query), asked_for.body, answer.status, answer.body


class _Stage:
    """A sandbox in which every field has a value somewhere; settings in `at_first` hold while it is made so."""

    def __init__(self, knobs: Json, at_first: Json | None = None) -> None:
        product = "jsm" if knobs.get("jsm_only") else "opsgenie"
        first = {"noise": False, "jsm_only": product == "jsm"} | (at_first or {})
        self._recorder = Recorder(Sandbox(ManualClock(), SandboxSettings().changed(first)))
        self._names: dict[str, str] = {}
        self._alerts(product)
        self._incidents()
        self._recorder.sandbox.change(knobs)

    def prepared(self, ask: Ask) -> "_Stage":
        """The same after what goes before a question."""
        if "{accepted}" in ask.target:
            place = ask.target.replace("requests/{accepted}", "{alert}/acknowledge")
            self._names["accepted"] = self._made(Ask(202, "POST", place, {}))["requestId"]
        for earlier in ask.before:
            self._made(earlier)
        return self

    def exchange(self, ask: Ask) -> Exchange:
        """A question and its answer."""
        if ask.fault:
            self._recorder.sandbox.faults.add(Fault(ask.fault))
        self._answer(ask)
        return self._recorder.exchanges[-1]

    def _alerts(self, product: str) -> None:
        alerts, people = f"/control/{product}/alerts", {"user": "Ana Ruiz"}
        tries = 3 if product == "jsm" else "3"  # Opsgenie's details are texts by themselves
        told = {"description": "full", "details": {"host": "db-1", "tries": tries}, "tags": ["ops"],
                "source": "cron", "priority": "P2", "alias": "a"}  # fmt: skip
        full = {"message": "disk full", **people, **told}
        self._names["alert"] = self._made(Ask(200, "POST", alerts, full))["id"]
        for act, more in (("notes", {"text": "one"}), ("notes", {"text": "two"}), ("acknowledge", {})):
            self._made(Ask(200, "POST", f"{alerts}/{{alert}}/{act}", people | more))
        self._made(Ask(200, "POST", f"{alerts}/{{alert}}/snooze", people | {"seconds": 60}))
        for act in ("acknowledge", "close"):
            other = self._made(Ask(200, "POST", alerts, {"message": "closed", **people}))["id"]
            self._made(Ask(200, "POST", f"{alerts}/{other}/{act}", people))

    def _incidents(self) -> None:
        incidents = "/control/pagerduty/incidents"
        for name, more in (("incident", {"key": "full", "alert_keys": ["child"]}), ("second", {"body": "text"})):
            self._names[name] = self._made(Ask(200, "POST", incidents, {"title": "disk full", **more}))["id"]
        note = Ask(200, "POST", f"{incidents}/{{incident}}/notes", {"text": "one"})
        self._names["note"] = self._made(note)["id"]
        for act in _STORY:
            self._made(Ask(200, "POST", f"{incidents}/{{second}}/{act}", {}))
        merged = self._made(Ask(200, "POST", incidents, {"title": "merged"}))["id"]
        self._made(Ask(200, "POST", f"{incidents}/{merged}/merge", {"into": "{incident}"}))

    def _made(self, ask: Ask) -> Any:
        answer = self._answer(ask)
        assert answer.status == ask.status, (ask, answer.body)
        return answer.json()

    def _answer(self, ask: Ask) -> Any:
        known = next((headers for prefix, headers in _HEADERS if ask.target.startswith(prefix)), {})
        target, body = self._filled(ask.target), self._filled(ask.body)
        return self._recorder.handle(request(ask.method, target, body, known | ask.headers))

    def _filled(self, value: Any) -> Any:
        """With ids in place of their names."""
        match value:
            case str():
                for name, found in self._names.items():
                    value = value.replace(f"{{{name}}}", found)
                return value
            case dict():
                return {name: self._filled(one) for name, one in value.items()}
            case list():
                return [self._filled(one) for one in value]
        return value


@contextmanager
def _refusals() -> Iterator[set[Lines]]:
    """Note meanwhile which lines refuse a request."""
    found: set[Lines] = set()
    original = Answer.__init__

    def noting(answer: Answer, response: Response) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            found.add((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        original(answer, response)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Answer, "__init__", noting)
        yield found


_REFUSE = {"error", "invalid", "not_found", "problem", "refusal", "unprocessable"}
"""The functions of the sandbox that make a vendor's refusal."""


def refusal_places() -> list[tuple[Path, range]]:
    """Each place of the sandbox that refuses a request."""

    def wanted(node: ast.AST) -> ast.expr | None:
        made = node.exc if isinstance(node, ast.Raise) else None
        is_refusal = isinstance(made, ast.Call) and ast.unparse(made.func).rpartition(".")[2] in _REFUSE
        return made if is_refusal else None

    return places(ROOT / "reconciler" / "sandbox", wanted)
