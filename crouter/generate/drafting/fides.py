"""Reads a fideslang manifest (YAML or JSON) into the same readings as prose: each declaration is a sentence.

Read with the strict reader of policy.yaml, so that anchors, tags, duplicate keys and files made to exhaust a machine
are refused with a place. Empty values, which exported manifests are full of, are taken for what they are.
"""

from collections.abc import Iterator
from typing import Any, Final

from crouter.generate.drafting.prose import Sentence
from crouter.generate.drafting.recognise import Binding, Reading
from crouter.generate.drafting.vendors import VENDORS
from crouter.policy.document import Document, read
from crouter.policy.problems import Path, Problem

_RESOURCES: Final = ("organization", "system", "dataset", "privacy_notice", "policy", "registry", "data_use")
# Of the strict reader's problems, those that a manifest may have.
_TAKEN: Final = frozenset(("PY-17", "PY-18"))
_USES: Final = {
    "essential.service.authentication": "purposes.authentication",
    "essential.service.payment_processing": "purposes.billing",
    "essential.service.notifications": "purposes.service_updates",
    "essential.service.operations": "purposes.rate_limiting",
    "essential.service": "purposes.proxying",
    "functional.storage.privacy_preferences": "purposes.consent_record",
    "analytics": "purposes.improvement",
}
_CATEGORIES: Final = {
    "user.contact.email": "data.account.email",
    "user.name": "data.account.name",
    "user.telemetry": "data.usage",
    "user.payment": "data.ledger",
    "user.authorization": "data.api_key",
    "system": "data",
}


def is_manifest(text: str, name: str) -> bool:
    """Whether a file looks like a manifest: a mapping with a resource of fideslang at its top."""
    if not name.endswith((".yaml", ".yml", ".json")):
        return False
    return any(text.startswith(f"{key}:") or f"\n{key}:" in text or f'"{key}"' in text for key in _RESOURCES)


def manifest_readings(text: str, name: str) -> tuple[tuple[Reading, ...], tuple[Problem, ...]]:
    """What a manifest says; or the problems that keep it from being read."""
    document = read(text, name)
    problems = tuple(problem for problem in document.problems if problem.code not in _TAKEN)
    if problems or not isinstance(document.tree, dict):
        return (), problems
    return tuple(_readings(document, document.tree)), ()


def _readings(document: Document, tree: dict[str, Any]) -> Iterator[Reading]:
    for kind, value in tree.items():
        for number, item in enumerate(value if isinstance(value, tuple) else ()):
            path: Path = (kind, number)
            if not isinstance(item, dict):
                continue
            if kind == "organization":
                yield _organization(document, path, item)
            elif kind == "system":
                yield from _system(document, path, item)
            elif kind == "dataset":
                yield from _dataset(document, path, item)
            else:
                yield _reading(document, path, f"{kind} {_name(item)}", (), f"the draft takes nothing from {kind}")


def _organization(document: Document, path: Path, item: dict[str, Any]) -> Reading:
    controller = item.get("controller")
    said = controller if isinstance(controller, dict) else {}
    found = {
        "controller.name": said.get("name") or item.get("name"),
        "controller.contact": said.get("email"),
        "controller.office": said.get("address"),
    }
    bindings = tuple(Binding(part, value) for part, value in found.items() if isinstance(value, str))
    return _reading(document, path, f"organization {_name(item)}", bindings, "it names nobody")


def _system(document: Document, path: Path, item: dict[str, Any]) -> Iterator[Reading]:
    name = _name(item)
    vendors = tuple(
        Binding(f"processors.{vendor.name}", vendor.label)
        for vendor in VENDORS
        if vendor.role != "named" and (vendor.is_named_in(name) or item.get("fides_key") == vendor.name)
    )
    own = (Binding("service.name", name),) if str(item.get("system_type", "")).lower() == "service" else ()
    reason = "a party or system that the draft does not know: say under processors what it receives"
    yield _reading(document, path, f"system {name}", vendors or own, reason)
    declarations = item.get("privacy_declarations")
    for number, declaration in enumerate(declarations if isinstance(declarations, tuple) else ()):
        if isinstance(declaration, dict):
            inner = (*path, "privacy_declarations", number)
            yield from _declaration(document, inner, name, declaration)


def _declaration(document: Document, path: Path, system: str, item: dict[str, Any]) -> Iterator[Reading]:
    use = str(item.get("data_use", ""))
    words = f"{system}: {_name(item)} ({use})"
    yield _reading(document, path, words, _mapped(use, _USES), f"no purpose of the draft has the data use {use}")
    period = item.get("retention_period")
    if isinstance(period, str) and period:
        place = (*path, "retention_period")
        yield _reading(document, place, f"{system}: kept {period}", (), "a period in words: decide under retention")


def _dataset(document: Document, path: Path, item: dict[str, Any]) -> Iterator[Reading]:
    collections = item.get("collections")
    for number, collection in enumerate(collections if isinstance(collections, tuple) else ()):
        fields = collection.get("fields") if isinstance(collection, dict) else None
        for position, field in enumerate(fields if isinstance(fields, tuple) else ()):
            if isinstance(field, dict):
                place = (*path, "collections", number, "fields", position)
                categories = field.get("data_categories")
                keys = [str(key) for key in categories] if isinstance(categories, tuple) else []
                bindings = tuple(binding for key in keys for binding in _mapped(key, _CATEGORIES))
                words = f"{_name(collection)}.{_name(field)} ({', '.join(keys) or 'no category'})"
                reason = "a field that no table of the draft has: add it under data if it is kept"
                yield _reading(document, place, words, bindings, reason)


def _mapped(key: str, table: dict[str, str]) -> tuple[Binding, ...]:
    """The part for the longest key of the table that is the key itself or above it."""
    fitting = [known for known in table if key == known or key.startswith(f"{known}.")]
    return (Binding(table[max(fitting, key=len)]),) if fitting else ()


def _name(item: dict[str, Any]) -> str:
    for key in ("name", "fides_key"):
        if isinstance(item.get(key), str):
            return " ".join(str(item[key]).split())
    return "without a name"


def _reading(document: Document, path: Path, words: str, bindings: tuple[Binding, ...], reason: str) -> Reading:
    place = document.positions.of_value(path)
    return Reading(Sentence(place.line, words), bindings, () if bindings else (reason,))
