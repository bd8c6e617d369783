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

    @property
    def patterns(self) -> list[tuple[str, str]]:
        """The method and the pattern of each row."""
        return [(method, "/" + "/".join(pattern)) for method, pattern, _ in self._rows]

    def find(self, request: Request) -> tuple[Handler, list[str]] | None:
        """The handler of the first matching row and the segments that its `{name}`s stand for, or None."""
        path = _segments(request.path)
        for method, pattern, handler in self._rows:
            if method == request.method and _fits(pattern, path):
                return handler, [found for wanted, found in zip(pattern, path, strict=True) if _is_any(wanted)]
        return None


def fits(pattern: str, path: str) -> bool:
    """Whether a path is one of a pattern's."""
    return _fits(_segments(pattern), _segments(path))


def _fits(pattern: list[str], path: list[str]) -> bool:
    return len(pattern) == len(path) and all(
        _is_any(wanted) or wanted == found for wanted, found in zip(pattern, path, strict=True)
    )


def _is_any(segment: str) -> bool:
    return segment.startswith("{")


def _segments(path: str) -> list[str]:
    return [unquote(segment) for segment in path.strip("/").split("/")]
