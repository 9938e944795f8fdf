"""Reads a fideslang manifest with fideslang itself, and prints what it did not understand, as JSON.

Run by another interpreter than the tests: fideslang needs an older pydantic than Crouter does.
`python fideslang_reader.py MANIFEST` prints `{"systems": [...], "unknown": [...]}`; a manifest that is refused ends it
with an error. fideslang itself drops unknown keys silently, and takes terms that its taxonomy does not have.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fideslang.default_taxonomy import DEFAULT_TAXONOMY  # type: ignore[import-not-found]
from fideslang.parse import load_manifests_into_taxonomy  # type: ignore[import-not-found]

TERMS = {
    "data_categories": "data_category",
    "data_use": "data_use",
    "data_uses": "data_use",
    "data_subjects": "data_subject",
}


def unknown_keys(given: Any, read: Any, path: str = "") -> Iterator[str]:
    """Keys of the manifest for which the model that was read has no field."""
    if isinstance(given, list) and isinstance(read, list):
        if len(given) != len(read):
            yield f"{path}: {len(given)} items were read as {len(read)}"
        for number, (inner, model) in enumerate(zip(given, read, strict=False)):
            yield from unknown_keys(inner, model, f"{path}/{number}")
    fields = getattr(type(read), "model_fields", None)
    if isinstance(given, dict) and fields is not None:
        for key, inner in given.items():
            if key in fields:
                yield from unknown_keys(inner, getattr(read, key), f"{path}/{key}")
            else:
                yield f"{path}/{key}"


def unknown_terms(given: Any, path: str = "") -> Iterator[str]:
    """Terms that fideslang's own taxonomy does not have."""
    for key, inner in given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ():
        if key in TERMS and inner:
            known = {term.fides_key for term in getattr(DEFAULT_TAXONOMY, TERMS[key])}
            terms = [inner] if isinstance(inner, str) else inner
            yield from (f"{path}/{key}: {term}" for term in terms if term not in known)
        yield from unknown_terms(inner, f"{path}/{key}")


def main() -> None:
    manifest = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    taxonomy = load_manifests_into_taxonomy(manifest)
    found = {
        "systems": [system.name for system in taxonomy.system],
        "unknown": [*unknown_keys(manifest, taxonomy), *unknown_terms(manifest)],
    }
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
