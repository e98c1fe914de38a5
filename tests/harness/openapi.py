"""An OpenAPI 3.1 document, and whether an answer is one that it describes.

Stricter than a JSON Schema validator: a member that a schema does not name is wrong, and so is a keyword that is not known
here, so that nothing passes for want of being looked at."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx

METHODS = {"get", "post", "put", "patch", "delete"}

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
FORMATS = {
    "uuid": uuid.UUID,
    "date-time": datetime.fromisoformat,
    "int32": int,
    "int64": int,
    "password": str,
}
ANNOTATIONS = {"description"}
KEYWORDS = {
    "$ref", "type", "format", "items", "enum", "oneOf", "properties", "required", "additionalProperties",
    "propertyNames", "minimum", "maximum",
}  # fmt: skip


class Document:
    """One service's."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self.whole = whole
        self.paths: dict[str, dict[str, Any]] = whole["paths"]
        (server,) = whole["servers"]
        # Where its paths begin, seen from a client of the gate.
        self.server = server["url"].rstrip("/")

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, method and operation of each."""
        for path, item in self.paths.items():
            for method, operation in item.items():
                assert method in METHODS, f"{path} has {method}"
                yield path, method, operation

    def operation(self, name: str) -> tuple[str, str, dict[str, Any]]:
        """The one with this id."""
        (found,) = [found for found in self.operations() if found[2]["operationId"] == name]
        return found

    def unresolved(self) -> list[str]:
        """References that lead nowhere."""
        return [reference for reference in references(self.whole) if self.resolve(reference) is None]

    def resolve(self, reference: str) -> Any:
        """What a reference names."""
        found: Any = self.whole
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def check(self, operation: dict[str, Any], answer: httpx.Response) -> None:
        """Fails unless the operation's description has this answer: status, media type and the form of its content."""
        name = operation["operationId"]
        shown = f"{name}: {answer.status_code} {answer.headers.get('content-type')} {answer.text[:300]}"
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"not described: {shown}"
        contents = described.get("content", {})
        if not contents:
            assert answer.status_code in (304, 429), f"content that is not described: {shown}"
            return
        media_type = answer.headers.get("content-type")
        assert media_type in contents, f"another media type than {sorted(contents)}: {shown}"
        wrong = list(self.wrong(contents[media_type]["schema"], answer.json(), "#"))
        assert not wrong, f"{wrong}: {shown}"

    def wrong(self, schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
        """What is wrong with a value, with the place in it."""
        unknown = set(schema) - KEYWORDS - ANNOTATIONS
        assert not unknown, f"keywords that no test looks at: {unknown}"
        if "$ref" in schema:
            yield from self.wrong(self.resolve(schema["$ref"]), value, place)
            return
        if "oneOf" in schema:
            ways = [list(self.wrong(way, value, place)) for way in schema["oneOf"]]
            if ways.count([]) != 1:
                yield f"{place} fits {ways.count([])} of {len(ways)} forms: {ways}"
            return
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        # Python's True is an integer; JSON's is none.
        if not any(isinstance(value, TYPES[kind]) and isinstance(value, bool) == (kind == "boolean") for kind in types):
            yield f"{place} is no {' or '.join(types)}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place} is none of {schema['enum']}"
        if "format" in schema and value is not None:
            try:
                FORMATS[schema["format"]](value)
            except ValueError:
                yield f"{place} is no {schema['format']}"
        if "minimum" in schema and value is not None and value < schema["minimum"]:
            yield f"{place} is below {schema['minimum']}"
        if "maximum" in schema and value is not None and value > schema["maximum"]:
            yield f"{place} is above {schema['maximum']}"
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.wrong(schema["items"], item, f"{place}/{index}")
        if isinstance(value, dict):
            yield from self.wrong_members(schema, value, place)

    def wrong_members(self, schema: dict[str, Any], value: dict[str, Any], place: str) -> Iterator[str]:
        """What is wrong with an object's members."""
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}/{name} is missing"
        for name, member in value.items():
            described = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if described is None:
                yield f"{place}/{name} is not described"
            else:
                yield from self.wrong(described, member, f"{place}/{name}")


def references(part: Any) -> Iterator[str]:
    """All references in a part of a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)
