"""Tables of routes: one row for each method and path of an HTTP API."""

from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote

from reconciler.sandbox.wire import Request

Handler = TypeVar("Handler")


class Routes(Generic[Handler]):
    """A table of (method, path pattern, handler). A segment `{name}` of a pattern matches any segment."""

    def __init__(self, rows: Iterable[tuple[str, str, Handler]]) -> None:
        self._rows = [(method, _segments(pattern), handler) for method, pattern, handler in rows]

    def find(self, request: Request) -> tuple[Handler, list[str]] | None:
        """The handler of the first matching row and the segments that its `{name}`s stand for, or None."""
        path = _segments(request.path)
        for method, pattern, handler in self._rows:
            pairs = list(zip(pattern, path, strict=False))
            if (
                method == request.method
                and len(pattern) == len(path)
                and all(wanted.startswith("{") or wanted == found for wanted, found in pairs)
            ):
                return handler, [found for wanted, found in pairs if wanted.startswith("{")]
        return None


def _segments(path: str) -> list[str]:
    return [unquote(segment) for segment in path.strip("/").split("/")]
