"""Writes a value as the text of a generated JSON file: readable, in the order given, one line feed at the end."""

import json


def json_file(value: object) -> str:
    """The text of the file. Raises ValueError for a number that JSON has no word for."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
