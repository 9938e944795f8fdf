"""The policy language as data: which keys each part has, what their values look like, and what they mean.

Read off the pydantic models, so that problems, the JSON Schema and the reference never say something else than what is
checked. Holds no policy and checks nothing.
"""

import functools
import types
from collections.abc import Hashable, Iterable
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, Discriminator, Tag
from pydantic.fields import FieldInfo

from crouter.policy.forms import (
    Choice,
    Day,
    Either,
    Form,
    Key,
    ListOf,
    MapOf,
    Number,
    OneKindOf,
    PartForm,
    Words,
    YesNo,
)
from crouter.policy.model import Policy
from crouter.policy.problems import Path
from crouter.policy.types import DURATION, Duration, Shape

CHOICE_OF_KEYS = "choice"
"""The name of the shape of keys of which only some are allowed."""


@functools.lru_cache(maxsize=1)
def language() -> PartForm:
    """The form of a whole policy.yaml."""
    return _part(Policy)


def form_at(path: Iterable[str | int], tree: Any) -> Form | None:
    """The form that the value at `path` has to have, or None if the language has no such place.

    `tree` is the file's content; it decides which kind of a part is meant.
    """
    return _of_its_kind(*_follow(path, tree))


def stated_form_at(path: Iterable[str | int], tree: Any) -> Form | None:
    """Like `form_at`, but leaves it open of which kind a part is."""
    return _follow(path, tree)[0]


def _follow(path: Iterable[str | int], tree: Any) -> tuple[Form | None, Any]:
    form: Form | None = language()
    for step in path:
        form = _of_its_kind(form, tree)
        if isinstance(form, PartForm):
            key = form.keys.get(step) if isinstance(step, str) else None
            form = key.form if key else None
        elif isinstance(form, MapOf):
            form = form.value
        elif isinstance(form, ListOf):
            form = form.item
        else:
            return None, None
        tree = child(tree, step)
    return form, tree


def _of_its_kind(form: Form | None, value: Any) -> Form | None:
    return form.kinds[form.kind_of(value)] if isinstance(form, OneKindOf) else form


def child(tree: Any, step: str | int) -> Any:
    """The value below `tree` under a key or an index, None if there is none."""
    if isinstance(tree, dict):
        return tree.get(step)
    if isinstance(tree, tuple) and isinstance(step, int) and step < len(tree):
        return tree[step]
    return None


def value_at(tree: Any, path: Path) -> Any:
    """The value at a path, None if there is none."""
    return functools.reduce(child, path, tree)


def _part(model: type[BaseModel]) -> PartForm:
    keys = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        form = _form(info.annotation, info.metadata)
        keys[key] = Key(key, form, info.is_required(), _one_line(info.description))
    return PartForm(model.__name__, _one_line(model.__doc__), keys)


def _form(annotation: Any, metadata: Iterable[Any] = ()) -> Form:
    """The form of a type annotation. Fails for a type that the language has no words for: then it needs some."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _form(arguments[0], (*metadata, *_flat(arguments[1:])))
    may_be_empty = not any(isinstance(m, annotated_types.MinLen) and m.min_length > 0 for m in metadata)
    if origin in (Union, types.UnionType):
        return _union([a for a in arguments if a is not type(None)], metadata)
    if origin is Literal:
        return Choice(arguments)
    if origin is tuple:
        return ListOf(_form(arguments[0]), may_be_empty)
    if origin is dict:
        return MapOf(_key_shape(arguments[0]), _form(arguments[1]), may_be_empty)
    return _leaf(annotation, list(metadata))


def _leaf(annotation: Any, metadata: list[Any]) -> Form:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _part(annotation)
    if annotation is int:
        minimum = next((m.ge for m in metadata if isinstance(m, annotated_types.Ge)), None)
        maximum = next((m.le for m in metadata if isinstance(m, annotated_types.Le)), None)
        return Number(minimum, maximum)  # type: ignore[arg-type]  # the bounds of an int are ints
    if annotation is str:
        return Words(next(m for m in metadata if isinstance(m, Shape)))
    leaves: dict[type, Form] = {date: Day(), bool: YesNo(), Duration: Words(DURATION)}
    return leaves[annotation]


def _union(members: list[Any], metadata: Iterable[Any]) -> Form:
    discriminator = next((m for m in metadata if isinstance(m, Discriminator)), None)
    if discriminator is not None:
        assert callable(discriminator.discriminator)
        kinds: dict[Hashable, PartForm] = {}
        for member in members:
            model, *marks = get_args(member)
            tag = next(m.tag for m in marks if isinstance(m, Tag))
            kinds[tag] = _part(model)
        return OneKindOf(kinds, discriminator.discriminator)
    if len(members) == 1:
        return _form(members[0], metadata)
    return Either(tuple(_form(member) for member in members))


def _key_shape(annotation: Any) -> Shape:
    """The shape of a mapping's keys; keys of which only some are allowed have none of their own."""
    form = _form(annotation)
    if isinstance(form, Words):
        return form.shape
    assert isinstance(form, Choice)
    names = [str(value) for value in form.values]
    return Shape(CHOICE_OF_KEYS, form.wanted, names[0], f"^({'|'.join(names)})$", max(map(len, names)))


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    for mark in metadata:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
