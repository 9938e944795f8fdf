"""The OpenAPI 3.1 document of the account API, made from the declared operations and from nothing else.

The same operations and the same identity give the same document, to the byte.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from crouter.contract.deployment import Identity
from crouter.runtime.account_api.operation import Access, Failure, Operation
from crouter.runtime.account_api.shapes import Failed, Fault, Nothing, Place, Shape
from crouter.runtime.identity.session_cookie import COOKIE as SESSION_COOKIE

PATH: Final = "/api/openapi.json"
VERSION: Final = "1"
FORM_TOKEN_HEADER: Final = "x-form-token"  # noqa: S105  the name of a header
_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"

_ABOUT: Final = (
    "What a person, or a program of theirs, may ask and change about their own account.\n\n"
    "**Who is asking.** A session (the cookie of a sign-in) may do everything; what changes something also needs the "
    f"session's form token in `{FORM_TOKEN_HEADER}`. An API key may read what is marked so, and nothing else: no key "
    "can make, change or end a key, and none can read what names a person.\n\n"
    "**Money** is a whole number of nanodollars, billionths of a US dollar. **Times** are RFC 3339 in UTC.\n\n"
    "**Pages.** A list that comes in pages has `next_cursor`: send it as `cursor`, with the same filters, for the next "
    "page; null means that this was the last one. Rows that are added meanwhile come before the first page and disturb "
    "nothing.\n\n"
    "**Errors** have the shape of the Messages API. Another account's things are not found (404)."
)


def openapi_document(identity: Identity, operations: Iterable[Operation]) -> dict[str, Any]:
    """The document, as JSON values."""
    operations = tuple(operations)
    shapes = {Failed, Fault, *(shape for operation in operations for shape in (operation.answer, operation.body))}
    _, components = msgspec.json.schema_components(
        sorted(shapes - {Nothing}, key=lambda shape: shape.__name__), ref_template=_REF
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{identity.name} account API", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": identity.url}],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components)},
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": "What signing in on the web sets",
                },
                "formToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": FORM_TOKEN_HEADER,
                    "description": "Proves that a change comes from a page of ours; stands in every form of a session",
                },
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "An API key"},
                "bearer": {"type": "http", "scheme": "bearer", "description": "The same key, sent as a bearer token"},
            },
        },
    }


def openapi_text(identity: Identity, operations: Iterable[Operation]) -> str:
    """The document as a file."""
    return json.dumps(openapi_document(identity, operations), ensure_ascii=False, indent=2) + "\n"


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": _security(operation),
        "responses": {
            str(operation.status): {
                "description": (operation.answer.__doc__ or "").partition("\n")[0],
                "content": {_JSON: {"schema": _reference(operation.answer), "example": _example(operation.example)}},
            },
            **{str(failure.status): _failure(failure) for failure in operation.all_failures()},
        },
    }
    parameters = [*(_parameters(Place, "path") if operation.has_id else ()), *_parameters(operation.query, "query")]
    if parameters:
        described["parameters"] = parameters
    if operation.body_example is not None:
        described["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": _reference(operation.body), "example": _example(operation.body_example)}},
        }
    return described


def _security(operation: Operation) -> list[Mapping[str, list[str]]]:
    person: dict[str, list[str]] = {"session": [], **({"formToken": []} if operation.changes else {})}
    return [person, *([{"apiKey": []}, {"bearer": []}] if operation.access is Access.PERSON_OR_KEY else [])]


def _parameters(shape: type[Shape], place: str) -> Iterable[dict[str, Any]]:
    (_,), components = msgspec.json.schema_components([shape], ref_template=_REF)
    described = components[shape.__name__]
    for name, schema in described["properties"].items():
        about = schema.pop("description", None)
        yield {
            "name": name,
            "in": place,
            "required": place == "path" or name in described["required"],
            **({"description": about} if about else {}),
            "schema": schema,
        }


def _failure(failure: Failure) -> dict[str, Any]:
    return {"description": failure.when, "content": {_JSON: {"schema": _reference(Failed)}}}


def _reference(shape: type[Shape]) -> dict[str, str]:
    return {"$ref": _REF.format(name=shape.__name__)}


def _example(shape: Shape) -> Any:
    return msgspec.to_builtins(shape)
