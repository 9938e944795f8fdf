"""Every text that the author of a policy wrote for people, with its place. Identifiers and hosts are none."""

from collections.abc import Iterator
from typing import Any

from crouter.policy.forms import Either, Form, ListOf, MapOf, OneKindOf, PartForm, Words
from crouter.policy.language import language
from crouter.policy.model import Policy
from crouter.policy.problems import Path

_TEXT = "text"


def texts_of(policy: Policy) -> Iterator[tuple[Path, str]]:
    """The texts in the order of the language; parts that are missing have none."""
    for key in language().keys.values():
        part = getattr(policy, key.name, None)
        if part is not None:
            yield from _texts((key.name,), key.form, part)


def _texts(path: Path, form: Form, value: Any) -> Iterator[tuple[Path, str]]:
    match form:
        case Words(shape=shape) if shape.name == _TEXT and isinstance(value, str):
            yield path, value
        case Either(forms=forms):
            for one in forms:
                yield from _texts(path, one, value)
        case ListOf(item=item):
            for index, entry in enumerate(value or ()):
                yield from _texts((*path, index), item, entry)
        case MapOf(value=inner):
            for name, entry in (value or {}).items():
                yield from _texts((*path, name), inner, entry)
        case OneKindOf(kinds=kinds, kind_of=kind_of):
            yield from _texts(path, kinds[kind_of(value)], value)
        case PartForm(keys=keys):
            for name in keys:
                # A key that is a word of Python has an underscore behind it there.
                below = getattr(value, name, None) if hasattr(value, name) else getattr(value, f"{name}_", None)
                if below is not None:
                    yield from _texts((*path, name), keys[name].form, below)
        case _:
            return
