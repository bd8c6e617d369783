"""A vendor's published description (OpenAPI): what of a request or an answer it does not know or does not want."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

SPECS = Path(os.environ.get("RECONCILER_SPEC_DIR") or ROOT.parent / "shared" / "openapi")
JSM = "jsm-operations-alerts"
JSM_BASE = "/jsm/ops"
"""What precedes the paths of JSM's description on its gateway."""
_KINDS: dict[str, Any] = {
    "string": str, "integer": int, "number": int | float, "boolean": bool, "object": dict, "array": list,
}  # fmt: skip


class Description:
    """One description. `base` is what precedes its paths in a URL's path."""

    def __init__(self, name: str, base: str = "") -> None:
        path = SPECS / f"{name}.json"
        if not path.is_file():
            pytest.skip(f"no {path.name} there: point RECONCILER_SPEC_DIR at the vendors' published descriptions")
        self._document: dict[str, Any] = json.loads(path.read_text())
        self._base = base

    def wrong_request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> list[str]:
        """What is wrong with a request; `body` is parsed JSON, None for no body."""
        described = self._operation(method, path)
        if described is None:
            return [f"{method} {path} is not described"]
        parameters = {
            each["name"]: each["schema"] for each in described.get("parameters", []) if each["in"] == "query"
        }
        required = {each["name"] for each in described.get("parameters", []) if each.get("required")}
        given, wrong = query or {}, list[str]()
        for name, value in given.items():
            schema = parameters.get(name)
            wrong += self._wrong(schema, _parsed(schema, value), name) if schema else [f"{name} is not described"]
        wrong += [f"{name} is missing" for name in sorted(required & parameters.keys() - given.keys())]
        content = described.get("requestBody")
        if content is None:
            return wrong if body is None else [*wrong, "no body is described"]
        return wrong + self._wrong(content["content"]["application/json"]["schema"], body, "body")

    def wrong_answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer."""
        described = self._operation(method, path)
        answer = described["responses"].get(str(status)) if described else None
        if answer is None:
            return [f"{method} {path} with {status} is not described"]
        return self._wrong(answer["content"]["application/json"]["schema"], body, "body")

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation; a literal path counts before one with parameters."""
        own = path.removeprefix(self._base)
        for pattern in sorted(self._document["paths"], key=lambda each: each.count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), own):
                found: dict[str, Any] | None = self._document["paths"][pattern].get(method.lower())
                return found
        return None

    def _wrong(self, schema: Any, value: Any, where: str) -> list[str]:
        kind = self._resolved(schema)
        wanted = kind.get("type")
        if wanted and (not isinstance(value, _KINDS[wanted]) or isinstance(value, bool) != (wanted == "boolean")):
            return [f"{where}: {value!r} should be {wanted}"]
        return [*_out_of_range(kind, value, where), *self._parts(kind, value, where)]

    def _parts(self, kind: dict[str, Any], value: Any, where: str) -> Iterator[str]:
        """What is wrong with the items of a list, and with an object's fields."""
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._wrong(kind["items"], item, f"{where}[{number}]")
        if isinstance(value, dict):
            known, others = kind.get("properties", {}), kind.get("additionalProperties")
            yield from (f"{where}: {name} is missing" for name in kind.get("required", []) if name not in value)
            for name, item in value.items():
                schema = known.get(name, others)
                if schema is None:
                    yield f"{where}: {name} is not described"
                else:
                    yield from self._wrong(schema, item, f"{where}.{name}")

    def _resolved(self, node: Any) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return dict(node)


def _parsed(schema: Any, value: str) -> Any:
    """A query's value in its type."""
    return int(value) if schema.get("type") == "integer" and value.lstrip("-").isdecimal() else value


def _out_of_range(kind: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if "enum" in kind and value not in kind["enum"]:
        yield f"{where}: {value!r} is not one of {kind['enum']}"
    size = value if isinstance(value, int | float) else len(value)
    if not kind.get("minimum", size) <= size <= kind.get("maximum", size):  # of a text it is the length
        yield f"{where}: {size} is out of its range"
    if kind.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            yield f"{where}: {value!r} is no time"
