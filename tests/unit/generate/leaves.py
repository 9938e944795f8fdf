"""Every leaf of policy.yaml, and other values that it can have: for the test that each of them changes an output.

Values are found by the form that the language gives to the place, so that a new key of the language is met without a
change here. Names lead to other parts, so for them the names that the file declares are tried.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import yaml
from pydantic import BaseModel

from crouter.policy.forms import Choice, Day, Either, Form, Number, Words, YesNo
from crouter.policy.language import form_at
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.rules.claims import FITTING
from crouter.policy.types import Duration

Tree = Any
Path = tuple[str | int, ...]

_SHAPES: dict[str, Callable[[str], str]] = {
    "text": lambda text: f"{text} of another kind",
    "e-mail address": lambda text: f"another.{text}",
    "host": lambda text: text.replace("api.", "").replace("*.", "").replace("crouter.", "edge.crouter."),
    "address": lambda text: f"{text.rstrip('/')}/other",
    "URL path": lambda text: text.replace("/v1/", "/v2/").replace("relay", "relayed"),
    "header": lambda text: f"y-{text}",
    "data category key": lambda text: "system" if text == "user" else "user",
    "data use key": lambda text: "marketing" if text != "marketing" else "personalize",
    "DPV term": lambda text: f"{text}Other",
    "cookie name": lambda text: f"{text}-other",
    "metric name": lambda text: f"{text}_other",
}

_PERIODS = ("P13M", "P25D", "PT2H", "PT30M", "P2Y", "P8D", "P37M", "P9Y")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # whichever there is
    """Writes what stands at two places twice: the language takes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def parse(text: str) -> Tree:
    """The file's values, lists and mappings as Python has them."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


def written(tree: Tree) -> str:
    """The values as YAML again, in the same order."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def leaves(tree: Tree, path: Path = ()) -> Iterator[Path]:
    """The path of every scalar, in the order of the file; an empty list or mapping is one as well."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    if not items:
        yield path
    for key, value in items:
        yield from leaves(value, (*path, key))


def entries(tree: Tree, path: Path = ()) -> Iterator[Path]:
    """The path of every item of a list and every entry of a mapping, whatever it holds."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield (*path, key)
        yield from entries(value, (*path, key))


def value_at(tree: Tree, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def with_value(tree: Tree, path: Path, value: Any) -> Tree:
    """The tree with another value at the path; what is not on the way is shared."""
    if not path:
        return value
    step, *rest = path
    changed = dict(tree) if isinstance(tree, dict) else list(tree)
    changed[step] = with_value(tree[step], tuple(rest), value) if rest else value  # type: ignore[index]
    return changed


def without(tree: Tree, path: Path) -> Tree:
    """The tree without the entry or the item at the path."""
    *way, last = path
    parent = value_at(tree, tuple(way))
    if isinstance(parent, dict):
        return with_value(tree, tuple(way), {key: value for key, value in parent.items() if key != last})
    return with_value(tree, tuple(way), [value for number, value in enumerate(parent) if number != last])


def form_of(tree: Tree, path: Path) -> Form:
    """What the language takes at a path of the file."""
    form = form_at(path, frozen(tree))
    assert form is not None, path
    return form


def other_values(tree: Tree, path: Path) -> Iterator[Any]:
    """Values that the place could have instead, the likeliest first; whether one fits is for the rules to say."""
    value = value_at(tree, path)
    for other in _others(form_of(tree, path), value, tree):
        if other != value:
            yield other


def unchecked(part: Any, path: Path, value: Any) -> Any:
    """A checked policy with another value at the path, whatever rules and models say about it."""
    if not path:
        return Duration.parse(value) if isinstance(part, Duration) and isinstance(value, str) else value
    step, *rest = path
    if isinstance(part, BaseModel):
        name = attribute(part, step)
        return part.model_copy(update={name: unchecked(getattr(part, name), tuple(rest), value)})
    if isinstance(part, dict):
        return {**part, step: unchecked(part[step], tuple(rest), value)}
    assert isinstance(step, int)
    return (*part[:step], unchecked(part[step], tuple(rest), value), *part[step + 1 :])


def attribute(part: BaseModel, key: str | int) -> str:
    """The name in the model of a key of the file: `from` is called `from_` there."""
    return next(name for name, info in type(part).model_fields.items() if key in (name, info.alias))


def _others(form: Form, value: Any, tree: Tree) -> Iterator[Any]:
    match form:
        case Number():
            yield from (value + 1, value - 1)
        case Day():
            yield value + timedelta(days=1)
        case YesNo():
            yield not value
        case Choice():
            yield from form.values
            yield f"{value}_other" if isinstance(value, str) else value + 1
        case Either():
            for one in form.forms:
                yield from _others(one, value, tree)
        case Words() if form.shape.name == "period":
            yield from _PERIODS
        case Words() if form.shape.name in _SHAPES:
            yield _SHAPES[form.shape.name](str(value))
        case Words():
            yield from _names(str(value), tree)


def _names(value: str, tree: Tree) -> Iterator[str]:
    """Names that stand for the same kind of thing."""
    mechanisms = list(MECHANISMS)
    parts = ("purposes", "sources", "processors", "retention")
    kinds = [
        kind for category in tree["data"].values() for kind in category["technical"].get("kind", {}).get("values", ())
    ]
    groups = [kinds, *(list(tree[part]) for part in parts), mechanisms, _data_paths(tree), _policy_paths(tree)]
    for group in groups:
        if value in group:
            yield from (name for name in reversed(group) if name.count(".") == value.count("."))
    yield f"{value}_other"


def _data_paths(tree: Tree) -> list[str]:
    columns = [
        f"{name}.{column}"
        for name, category in tree["data"].items()
        for part in ("technical", "fields")
        for column in category.get(part, ())
    ]
    return [*columns, "content", "analytics", *tree["data"]]


def _policy_paths(tree: Tree) -> list[str]:
    parts = ("data", "never", "processors", "retention", "rights")
    fields = [f"data.{name}.{field}" for name, category in tree["data"].items() for field in category.get("fields", ())]
    single = [path for paths in FITTING.values() for path in paths if "*" not in path]
    return [*(f"{part}.{name}" for part in parts for name in tree[part]), *fields, *single]


def frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    return {key: frozen(item) for key, item in value.items()} if isinstance(value, dict) else value
