"""What changes in the declarations that the running service is told, by the names they have there."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period
from crouter.plan.difference.change import Change

# They name the policy itself, and so differ whenever anything does.
_LEFT_OUT = frozenset({"policy_digest", "policy_version", "contract"})

_Tree = Mapping[str, Any]


def declaration_changes(before: Deployment, after: Deployment) -> Iterator[Change]:
    """Each declaration that comes, goes or reads differently; what comes or goes whole is one change."""
    yield from _between("", _tree(before), _tree(after))


def _tree(value: Any) -> Any:
    """A declaration as mappings: by the names of its parts, or of the entries of a list that have names."""
    if isinstance(value, Period):
        return value.text
    if is_dataclass(value):
        return {part.name: _tree(getattr(value, part.name)) for part in fields(value) if part.name not in _LEFT_OUT}
    if isinstance(value, tuple) and value and all(is_dataclass(item) and hasattr(item, "name") for item in value):
        return {item.name: _tree(item) for item in value}
    return value


def _between(name: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if key not in before)):
            below = f"{name}.{key}" if name else str(key)
            if key not in after:
                yield _change("removed", below)
            elif key not in before:
                yield _change("added", below)
            else:
                yield from _between(below, before[key], after[key])
    elif before is None or before == ():
        yield _change("added", name)
    elif after is None or after == ():
        yield _change("removed", name)
    else:
        yield _change("changed", name, _values(before, after))


def _change(kind: Any, name: str, values: str = "") -> Change:
    words = {"added": "the service is told of", "removed": "the service is no longer told of", "changed": "changes"}
    summary = f"{name} changes{values}" if kind == "changed" else f"{words[kind]} {name}"
    return Change("code", kind, (), summary, subject=f"declaration {name}")


def _values(before: Any, after: Any) -> str:
    if isinstance(before, str | int | bool) and isinstance(after, str | int | bool):
        return f" from {before} to {after}" if len(str(before)) + len(str(after)) < 80 else ""
    if isinstance(before, tuple) and isinstance(after, tuple):
        more = [str(item) for item in after if item not in before]
        fewer = [str(item) for item in before if item not in after]
        said = [f"+{item}" for item in more] + [f"-{item}" for item in fewer]
        text = " ".join(said)
        return f": {text}" if 0 < len(text) < 100 else ""
    return ""
