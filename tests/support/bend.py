"""Answers that say something else than the sandbox would: each test bends those that it is about."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.sandbox.wire import Request, Response
from tests.support.stage import Stage

When = Callable[[str, Request], bool]
Change = Callable[[Request, Response], Response]


def bend(world: Stage, when: When, change: Change) -> Callable[[], None]:
    """From now on the real answers to these calls are changed. The call has its effect. Returns what ends it."""
    sandbox = world.sandbox.sandbox
    machine = sandbox.answer

    def bent(vendor: str, request: Request) -> Response:
        real = machine(vendor, request)
        return change(request, real) if when(vendor, request) else real

    sandbox.answer = bent  # type: ignore[method-assign]

    def end() -> None:
        sandbox.answer = machine  # type: ignore[method-assign]

    return end


def edited(response: Response, edit: Callable[[Any], object]) -> Response:
    """The same answer after its document was edited in place."""
    document = json.loads(response.body)
    edit(document)
    return replace(response, body=json.dumps(document).encode())


def is_call(vendor: str, method: str, *, starts: str = "", ends: str = "") -> When:
    """Calls of one vendor by method and path."""
    return lambda to, request: (
        to == vendor
        and request.method == method
        and request.path.startswith(starts)
        and request.path.endswith(ends)
    )


def never(shown: Callable[[], bool], seconds: float, what: str = "") -> None:
    """Something does not show for so long."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        assert not shown(), f"seen: {what}"
        time.sleep(0.1)
