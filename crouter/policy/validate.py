"""Checks each part of a document against its model, so that a mistake in one part leaves the others usable.

What crosses parts is for `rules/`.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from crouter.policy.document import Document
from crouter.policy.explain import Explainer, is_refused, repeated
from crouter.policy.language import language
from crouter.policy.model import Policy
from crouter.policy.problems import Problem


@dataclass(frozen=True, slots=True)
class Validated:
    """The parts that are valid, by key, and what is wrong with the others. Parts left out hold their default."""

    parts: Mapping[str, Any]
    problems: tuple[Problem, ...]


def validate(document: Document) -> Validated:
    """Check every part. Values that a problem of the document speaks of already are not mentioned again."""
    if not isinstance(document.tree, dict):
        return Validated({}, () if is_refused((), document) else (_no_policy(document),))
    explainer = Explainer(document)
    problems = [explainer.unknown_key((key,)) for key in document.tree if key not in language().keys]
    parts: dict[str, Any] = {}
    for key in language().keys.values():
        if key.name in document.tree:
            found = _validate_part(key.name, document, explainer, parts)
            problems += [*found, *repeated(key.name, document)]
        elif key.required:
            problems.append(explainer.missing_key((key.name,)))
        else:
            parts[key.name] = Policy.model_fields[key.name].get_default(call_default_factory=True)
    return Validated(parts, tuple(problems))


def _no_policy(document: Document) -> Problem:
    place, hint = document.positions.of_value(()), "begin with `language: 1`"
    return Problem("PM-03", "error", place, "a policy is a mapping, and something else stands here", hint)


def _validate_part(name: str, document: Document, explainer: Explainer, parts: dict[str, Any]) -> list[Problem]:
    """Put the part into `parts` if it is valid; else give its problems, one for each value."""
    assert isinstance(document.tree, dict)
    try:
        parts[name] = _adapters()[name].validate_python(document.tree[name])
    except ValidationError as error:
        found = (explainer.problem_of(name, one) for one in error.errors(include_url=False, include_input=False))
        # A union complains once for each of its members.
        return list(dict.fromkeys(problem for problem in found if problem is not None))
    return []


@functools.lru_cache(maxsize=1)
def _adapters() -> dict[str, TypeAdapter[Any]]:
    return {info.alias or name: TypeAdapter(_annotation(info)) for name, info in Policy.model_fields.items()}


def _annotation(info: FieldInfo) -> Any:
    """The type of a part with the bounds that stand beside it."""
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
