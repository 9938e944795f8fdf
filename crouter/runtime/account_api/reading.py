"""Reads a query string and a body as their declared shapes. Says which part is wrong, and never what stood there."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from crouter.runtime.account_api.shapes import Shape
from crouter.runtime.proxy.errors import ErrorReply, invalid_request

QUERY_BYTES_MAX: Final = 4096
_NAMES_MAX: Final = 32
# Where a library's message says that the mistake is: names of declared fields, and nothing of the values.
_PLACE: Final = re.compile(r" - at `\$((?:\.[a-z_0-9]{1,40})+)`$")


def read_query(query: str, shape: type[Shape]) -> Shape | ErrorReply:
    """The parameters of a raw query string; each may stand there once."""
    if len(query) > QUERY_BYTES_MAX:
        return invalid_request("the query is too long")
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=_NAMES_MAX
        )
    except ValueError:
        return invalid_request("the query is not a list of name=value pairs in UTF-8")
    values = dict(pairs)
    if len(values) < len(pairs):
        return invalid_request("a parameter stands twice in the query")
    if any("\0" in value for value in values.values()):
        return invalid_request("a parameter holds a character that none can have")
    return _converted(values, shape)


def read_body(body: bytes, content_type: str, shape: type[Shape]) -> Shape | ErrorReply:
    """The JSON of a body."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return invalid_request("the body has to be JSON: send content-type: application/json")
    try:
        found = msgspec.convert(_whole_numbers(msgspec.json.decode(body)), shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return invalid_request(f"the body does not have its declared form{_at(error)}")
    if b"\\u0000" in body:
        return invalid_request("the body holds a character that no text can have")
    return found


def _whole_numbers(value: Any) -> Any:
    """An object whose numbers without a fraction are whole: to JSON, and so to a schema, 1 and 1.0 are the same."""
    if not isinstance(value, dict):
        return value
    return {
        name: int(member) if isinstance(member, float) and member.is_integer() else member
        for name, member in value.items()
    }


def _converted(values: dict[str, str], shape: type[Shape]) -> Shape | ErrorReply:
    prepared: dict[str, Any] = {}
    numbers = {field.encode_name for field in msgspec.structs.fields(shape) if _is_number(field.type)}
    for name, value in values.items():
        if name in numbers:
            # Only digits: what else programs take for a number is not declared.
            if not (value.isascii() and value.isdigit() and len(value) <= 18):
                return invalid_request(f"the parameter `{name}` is not a whole number")
            prepared[name] = int(value)
        else:
            prepared[name] = value
    try:
        return msgspec.convert(prepared, shape)
    except msgspec.ValidationError as error:
        return invalid_request(f"the query does not have its declared form{_at(error)}")


def _is_number(kind: Any) -> bool:
    # An annotated type knows what it annotates.
    return getattr(kind, "__origin__", kind) is int


def _at(error: Exception) -> str:
    found = _PLACE.search(str(error))
    return f", at `{found[1][1:]}`" if found else ""
