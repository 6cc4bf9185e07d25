"""The parameters of an operation, as the OpenAPI document tells them."""

import json
import re
from collections.abc import Iterable
from typing import Any

from api.web.json_schemas import ID, asked
from api.web.operations import Operation
from schemas.query import MAX_VALUES, Parameter

# Headers that can be sent, each with what it is for and what its values are like.
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "If-None-Match": ("The ETag of an answer that you have; 304 where it still holds.", {}),
    "If-Match": ("The ETag of the version that you saw; needed to change what exists.", {}),
    "If-None-Match: *": ("`*` to create only.", {"enum": ["*"]}),
    "Idempotency-Key": (
        "Your own name for this request, bare or quoted; sent again within a day, it writes once.",
        {"pattern": '^(?:[!#-~][!-~]{0,254}|"[!-~]{1,255}")$'},
    ),
}


def of(path: str, operation: Operation) -> list[dict[str, Any]]:
    """All parameters of an operation: of the path, the query string, and headers."""
    return [*_of_path(path, operation), *_of_query(operation), *_of_headers(operation)]


def shared(operations: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Parameters that several operations have alike, by name; in the operations, refer to them.

    The first of a name has it, any other that of the first operation that has it as well.
    """
    uses: dict[str, list[tuple[dict[str, Any], int]]] = {}
    for operation in operations:
        for place, parameter in enumerate(operation["parameters"]):
            uses.setdefault(json.dumps(parameter), []).append((operation, place))
    found: dict[str, Any] = {}
    for users in uses.values():
        operation, place = users[0]
        parameter = operation["parameters"][place]
        name = parameter["name"]
        if len(users) == 1:
            continue
        if name in found:
            name = f"{name}-{operation['operationId']}"
        found[name] = parameter
        for operation, place in users:
            operation["parameters"][place] = {"$ref": f"#/components/parameters/{name}"}
    return found


def _of_path(path: str, operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "description": operation.path_examples[name][0],
            **_path_value(name, operation.path_examples[name][1]),
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _path_value(name: str, example: str) -> dict[str, Any]:
    if name == "n":
        return {"schema": {"type": "integer", "minimum": 1}, "example": int(example)}
    return {"schema": ID, "example": example}


def _of_headers(operation: Operation) -> list[dict[str, Any]]:
    reads = operation.method == "get" and operation.conditional
    return [
        {
            "in": "header",
            "name": name.partition(":")[0],
            "required": False,
            "description": HEADERS[name][0],
            "schema": {"type": "string", **HEADERS[name][1]},
        }
        for name in (*(["If-None-Match"] if reads else []), *operation.request_headers)
    ]


def _of_query(operation: Operation) -> list[dict[str, Any]]:
    found = []
    for name, parameter in (operation.query.fields if operation.query else {}).items():
        if not isinstance(parameter, Parameter):
            raise TypeError(f"{name} is no parameter")
        value = asked(parameter.inner)
        told: dict[str, Any] = {
            "in": "query",
            "name": name,
            "description": parameter.metadata["description"],
            "required": parameter.required,
        }
        if parameter.single:
            told["schema"] = value
        else:
            told["schema"] = {"type": "array", "items": value, "minItems": 1}
            told["schema"]["maxItems"] = MAX_VALUES
            told |= {"style": "form", "explode": False}
        if name in operation.query_examples:
            told["example"] = operation.query_examples[name]
        found.append(told)
    return found
