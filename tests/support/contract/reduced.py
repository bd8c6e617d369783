"""A vendor's published description, reduced to what is validated here, as strict OpenAPI 3.0.

Both vendors' forms are read: Swagger 2.0 (Opsgenie) and OpenAPI 3.0 (PagerDuty, JSM). Of a document of up to 3 MB
only the wanted paths and the schemas that they reach are kept, and of a schema only the keywords that validate.

- `allOf` is merged into one schema, so that an object can be closed: a field that no part has is refused.
- `oneOf` becomes `anyOf`: PagerDuty's forms of a channel overlap.
- The forms of a channel say in words alone which `type` each is for ("Will be `api`"): that becomes an `enum`.
- The fields beside an `anyOf` are put into each of its members, which are closed then.
- Every variable part of a path is a text: JSM declares no parameter for its `{cloudId}`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
_KEYWORDS = (
    "type", "format", "enum", "nullable", "readOnly", "pattern", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "uniqueItems",
)  # fmt: skip
_METHODS = ("get", "put", "post", "patch", "delete")
_JSON = "application/json"
_ONLY = re.compile(r"Will be `(\w+)`")


def reduced(document: Json, paths: Iterable[str]) -> Json:
    """The description of these paths. KeyError for a path that it does not have."""
    reader = _Reader(document)
    found = {path: reader.path(path, document["paths"][path]) for path in paths}
    return {
        "openapi": "3.0.3",
        "info": {"title": document["info"]["title"], "version": "reduced"},
        "paths": found,
        "components": {"schemas": reader.schemas},
    }


def resolved(document: Json, node: Json) -> Json:
    """What a chain of `$ref`s leads to. A pointer may lead into a list, as PagerDuty's `Tag/allOf/0` does."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            target = target[int(name) if isinstance(target, list) else name]
        node = target
    return node


class _Reader:
    """Collects in `schemas` what is referred to, by names made of the pointers."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self.schemas: dict[str, Json] = {}

    def path(self, path: str, node: Json) -> Json:
        names = re.findall(r"\{(\w+)\}", path)
        shared = [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names),
            *node.get("parameters", []),
        ]
        return {method: self._operation(node[method], shared) for method in _METHODS if method in node}

    def _operation(self, node: Json, shared: list[Json]) -> Json:
        given = [resolved(self._document, each) for each in (*shared, *node.get("parameters", []))]
        by_place = {(each["in"], each["name"]): each for each in given}
        made: Json = {
            "parameters": [self._parameter(each) for each in by_place.values() if each["in"] != "body"],
            "responses": {status: self._response(each) for status, each in node["responses"].items()},
        }
        bodies = [each for (place, _), each in by_place.items() if place == "body"]
        if bodies:
            made["requestBody"] = self._body(bodies[0]["schema"], bodies[0])
        if "requestBody" in node:
            body = resolved(self._document, node["requestBody"])
            made["requestBody"] = self._body(body["content"][_JSON]["schema"], body)
        return made

    def _parameter(self, node: Json) -> Json:
        """A parameter. In Swagger 2.0 the keywords of its schema are its own."""
        more = {"explode": node["explode"]} if "explode" in node else {}
        required = node.get("required", False)
        own = {name: value for name, value in node.items() if name != "required"}
        schema = self.schema(node.get("schema", own))
        return {"name": node["name"], "in": node["in"], "required": required, "schema": schema, **more}

    def _body(self, schema: Json, node: Json) -> Json:
        return {"required": node.get("required", False), "content": {_JSON: {"schema": self.schema(schema)}}}

    def _response(self, node: Json) -> Json:
        answer = resolved(self._document, node)
        schema = answer.get("schema") or answer.get("content", {}).get(_JSON, {}).get("schema")
        content = {"content": {_JSON: {"schema": self.schema(schema)}}} if schema else {}
        return {"description": "", **content}

    def schema(self, node: Json) -> Json:
        """A schema; one that is referred to stays so, as it may contain itself."""
        if "$ref" not in node:
            return self._strict(self._whole(node))
        name = re.sub(r"\W+", ".", node["$ref"].removeprefix("#/"))
        if name not in self.schemas:
            self.schemas[name] = {}
            self.schemas[name] = self._strict(self._whole(node))
        return {"$ref": f"#/components/schemas/{name}"}

    def _whole(self, node: Json) -> Json:
        """The schema with all that its `allOf` adds: later parts win, required fields add up."""
        node = resolved(self._document, node)
        whole: Json = {}
        for part in (*map(self._whole, node.get("allOf", [])), node):
            properties = whole.get("properties", {}) | part.get("properties", {})
            required = [*whole.get("required", []), *part.get("required", [])]
            whole |= part
            whole |= {"properties": properties} if properties else {}
            whole |= {"required": sorted(set(required))} if required else {}
        return whole

    def _strict(self, whole: Mapping[str, Any]) -> Json:
        members = whole.get("oneOf") or whole.get("anyOf")
        if members:
            outer = {name: whole[name] for name in ("properties", "required") if name in whole}
            nullable = {"nullable": True} if whole.get("nullable") else {}
            return nullable | {
                "anyOf": [self.schema({"allOf": [outer, each]} if outer else each) for each in members]
            }
        made = {name: whole[name] for name in _KEYWORDS if name in whole}
        if only := _ONLY.fullmatch(whole.get("description", "")):
            made["enum"] = [only[1]]
        if "items" in whole:
            made["items"] = self.schema(whole["items"])
        if "properties" in whole:
            made["properties"] = {name: self.schema(each) for name, each in whole["properties"].items()}
            made["additionalProperties"] = False
        if "required" in whole:
            made["required"] = whole["required"]
        others = whole.get("additionalProperties")
        if others is not None:
            made["additionalProperties"] = others if isinstance(others, bool) else self.schema(others)
        return made
