"""Dotted paths into a policy: what stands at one, and its full form."""

from collections.abc import Mapping

from pydantic import BaseModel

from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory
from crouter.policy.problems import Path


class NoSuchValueError(LookupError):
    """A path leads nowhere in a policy."""


def value_at(policy: Policy, path: Path) -> object:
    """What stands at a path. Raises NoSuchValueError, also for an optional part that the policy leaves out."""
    node: object = policy
    for step in path:
        node = _child(node, step)
    if node is None:
        raise NoSuchValueError
    return node


def full_path(policy: Policy, dotted: str) -> Path:
    """The path that a dotted one means: `data.account.email` is short for `data.account.fields.email`.

    Raises NoSuchValueError if it leads nowhere.
    """
    path: Path = ()
    node: object = policy
    for name in dotted.split("."):
        if isinstance(node, DataCategory) and name not in type(node).model_fields:
            part = "fields" if name in node.fields else "technical"
            path, node = (*path, part), _child(node, part)
        step = int(name) if isinstance(node, tuple) and name.isdecimal() else name
        path, node = (*path, step), _child(node, step)
    if node is None:
        raise NoSuchValueError
    return path


def _child(node: object, step: str | int) -> object:
    if isinstance(node, Mapping) and step in node:
        return node[step]
    if isinstance(node, tuple) and isinstance(step, int) and step < len(node):
        return node[step]
    if isinstance(node, BaseModel):
        for attribute, info in type(node).model_fields.items():
            # A part that has mistakes of its own is missing while the rules look at the others.
            if step == (info.alias or attribute) and attribute in node.__dict__:
                return node.__dict__[attribute]
    raise NoSuchValueError
