"""The reference of the policy language as Markdown: every key, every kind of sentence, mechanism and problem.

Written to docs/policy-reference.md by the generator, read off what is checked.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping

from crouter.policy.codes import CODES
from crouter.policy.forms import Either, Form, ListOf, MapOf, OneKindOf, PartForm, Words
from crouter.policy.language import CHOICE_OF_KEYS, language
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.rules.claims import FITTING
from crouter.policy.types import Shape

_INTRODUCTION = """\
# The policy language

<!-- Written by `make generate` from crouter/policy. Do not edit. -->

`policy.yaml` is one mapping with the parts below. `crouter check` reports everything that is wrong with it at once;
`generated/policy/policy.schema.json` lets an editor complete and check it while you type.

## What of YAML is used

Mappings, lists and scalars, in UTF-8, up to 256 KiB, 20 levels and 20,000 values. There are no anchors, aliases, merge
keys, tags, directives or second documents, and no key stands twice in one mapping. Without quotes, `true` and `false`,
whole decimal numbers and days (`2025-01-31`) have their type, and everything else is text. What YAML readers understand
differently is refused until it is quoted: `yes`, `no`, `on`, `off`, `~`, `null`, `0123`, `0x1f`, `1_000`, `1e3`, `1.0`,
`12:30:45`.

Periods are ISO 8601 durations of whole numbers, such as `P12M`, `P30D` or `PT1H`. Months are calendar months in UTC.
`<name>` below stands for names of your choice, `[]` for each entry of a list.
"""


def policy_reference() -> str:
    """The whole reference; ends with a line break."""
    parts = [line for key in language().keys.values() for line in _part_lines(key.name, key.form, key.words)]
    return "\n".join(
        [
            _INTRODUCTION,
            *_kinds_of_text(),
            "## Top level",
            "",
            *_keys_table(language()),
            *parts,
            *_sentences(),
            *_mechanisms(),
            *_problems(),
        ]
    )


def _part_lines(name: str, form: Form, words: str) -> Iterator[str]:
    """The section of one top-level key: its own table, then those of the parts inside."""
    parts = list(_parts_in(name, form))
    if not parts and not isinstance(form, MapOf):
        return
    yield from (f"## {name}", "", words, "")
    if isinstance(form, MapOf):
        inner = form.value
        of_names = (
            f" Each entry maps a {inner.key.name} to {_in_words(inner.value)}." if isinstance(inner, MapOf) else ""
        )
        yield from (f"`<name>` is a {form.key.name}.{of_names}", "")
    for path, part in parts:
        if path != name:
            yield from (f"### {_code(path)}", "", part.words, "")
        yield from _keys_table(part)


def _parts_in(path: str, form: Form) -> Iterator[tuple[str, PartForm]]:
    """Every part in a form, with its path, outer ones first."""
    match form:
        case PartForm():
            yield path, form
            for key in form.keys.values():
                yield from _parts_in(f"{path}.{key.name}", key.form)
        case MapOf():
            yield from _parts_in(f"{path}.<name>", form.value)
        case ListOf():
            yield from _parts_in(f"{path}[]", form.item)
        case OneKindOf():
            for kind in form.kinds.values():
                yield from _parts_in(path, kind)
        case _:
            return


def _keys_table(part: PartForm) -> Iterator[str]:
    yield from ("| key | value | required | meaning |", "| --- | --- | --- | --- |")
    for key in part.keys.values():
        required = "yes" if key.required else ""
        yield f"| {_code(key.name)} | {_cell(_in_words(key.form))} | {required} | {_cell(key.words)} |"
    yield ""


@functools.singledispatch
def _in_words(form: Form) -> str:
    """What a value is, short enough for a table: kinds of text by their name, parts as mappings."""
    return form.wanted


@_in_words.register
def _words_in_words(form: Words) -> str:
    return form.shape.name


@_in_words.register
def _either_in_words(form: Either) -> str:
    return ", or ".join(_in_words(one) for one in form.forms)


@_in_words.register
def _list_in_words(form: ListOf) -> str:
    many = "list" if form.may_be_empty else "list of at least one"
    return f"{many}: {_in_words(form.item)}"


@_in_words.register
def _map_in_words(form: MapOf) -> str:
    many = "mapping by name" if form.may_be_empty else "mapping by name, at least one"
    return f"mapping of {form.key.words} to: {_in_words(form.value)}" if _is_choice(form.key) else many


def _is_choice(shape: Shape) -> bool:
    """Whether names of that shape are not the author's to choose, so that it is no kind of text of its own."""
    return shape.name == CHOICE_OF_KEYS


def _kinds_of_text() -> Iterator[str]:
    head = ("kind", "is", "at most", "for example")
    yield from ("## Kinds of text", "", "What the tables below call a value that is text of a certain form.", "")
    yield from (f"| {' | '.join(head)} |", "| --- | --- | --- | --- |")
    shapes = {shape.name: shape for shape in _shapes_in(language())}
    for shape in shapes.values():
        yield f"| {shape.name} | {_cell(shape.words)} | {shape.length_max} | {_code(shape.example)} |"
    yield ""


def _shapes_in(form: Form) -> Iterator[Shape]:
    match form:
        case Words():
            yield form.shape
        case ListOf():
            yield from _shapes_in(form.item)
        case Either():
            for one in form.forms:
                yield from _shapes_in(one)
        case MapOf():
            yield from [] if _is_choice(form.key) else [form.key]
            yield from _shapes_in(form.value)
        case PartForm():
            for key in form.keys.values():
                yield from _shapes_in(key.form)
        case OneKindOf():
            for kind in form.kinds.values():
                yield from _shapes_in(kind)


def _sentences() -> Iterator[str]:
    yield from ("## Sentences", "", "What a claim can say, and what each kind of sentence is about.", "")
    rows: dict[str, str] = {kind: ", ".join(_code(path) for path in paths) for kind, paths in FITTING.items()}
    yield from _table(("says", "about"), rows)


def _mechanisms() -> Iterator[str]:
    yield from ("## Mechanisms", "", "What a claim can name in `enforced_by`.", "")
    yield from _table(("name", "does"), {name: mechanism.does for name, mechanism in MECHANISMS.items()})


def _problems() -> Iterator[str]:
    yield from (
        "## Problems",
        "",
        "`PY` is about the file as YAML, `PM` about one value, `PR` about values together.",
        "",
    )
    yield from _table(("code", "why"), {name: f"{code.title}. {code.explanation}" for name, code in CODES.items()})


def _table(head: Iterable[str], rows: Mapping[str, str]) -> Iterator[str]:
    yield from (f"| {' | '.join(head)} |", "| --- | --- |")
    yield from (f"| {_code(name)} | {_cell(text)} |" for name, text in rows.items())
    yield ""


def _code(text: str) -> str:
    return f"`{text}`"


def _cell(text: str) -> str:
    """Text for a cell of a Markdown table: a bar would end the cell, and `<name>` would be taken for HTML."""
    return text.replace("|", "\\|")
