"""Turns what pydantic refuses into problems with sentences of our own.

pydantic only tells where something is wrong. What is wrong there is worked out from the form that the language gives
that place and from the value that stands in it.
"""

from datetime import date

from pydantic_core import ErrorDetails

from crouter.policy.document import Document, Tree
from crouter.policy.forms import Choice, Day, Either, Form, ListOf, MapOf, Number, OneKindOf, PartForm, Words, YesNo
from crouter.policy.hints import listed, meant, nearest
from crouter.policy.language import form_at, stated_form_at, value_at
from crouter.policy.problems import Path, Problem, dotted, is_showable, shown
from crouter.policy.types import Shape

# Looking for a name that was meant takes time; after this many wrong ones it is no longer a slip.
_SUGGESTIONS_MAX = 50

_KEY_MARK = "[key]"


class Explainer:
    """Explains the refusals of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._suggestions_left = _SUGGESTIONS_MAX

    def problem_of(self, part: str, error: ErrorDetails) -> Problem | None:
        """The problem behind an error in a part; None if another problem speaks of that value already."""
        path, is_key = _place_in_file((part, *error["loc"]), error["type"], self._document.tree)
        if is_refused(path, self._document):
            return None
        if is_key:
            form = form_at(path[:-1], self._document.tree)
            assert isinstance(form, MapOf)
            return self.bad_key(path, form.key, _own_words(error))
        if error["type"] == "extra_forbidden":
            return self.unknown_key(path)
        if error["type"] == "missing":
            return self.missing_key(path)
        form, value = form_at(path, self._document.tree), value_at(self._document.tree, path)
        assert form is not None, "pydantic knows a place that the language does not"
        if isinstance(form, ListOf | MapOf) and form.is_kind_of(value) and value:
            # Of entries that are refused themselves, pydantic says that there are too few.
            return None
        code, sentence, hint = _refusal(form, value, _own_words(error))
        place = self._document.positions.of_value(path)
        return Problem(code, "error", place, f"{dotted(path)} {sentence}", hint)

    def unknown_key(self, path: Path) -> Problem:
        """The problem of a key that the language does not have at that place."""
        around = form_at(path[:-1], self._document.tree)
        known = list(around.keys) if isinstance(around, PartForm) else []
        key = str(path[-1])
        self._suggestions_left -= 1
        hint = meant(key, known) if self._suggestions_left >= 0 else f"known are: {listed(known)}"
        where = f"{dotted(path[:-1])} has" if path[1:] else "a policy has"
        place = self._document.positions.of_key(path)
        return Problem("PM-01", "error", place, f"{where} no key {shown(key, 'of this name')}", hint)

    def missing_key(self, path: Path) -> Problem:
        """The problem of a key that has to be there."""
        around = form_at(path[:-1], self._document.tree)
        assert isinstance(around, PartForm)
        key = around.keys[str(path[-1])]
        means = key.words[:1].lower() + key.words[1:].rstrip(".")
        sample = key.form.example
        hint = f"add `{key.name}`: {means}" + (f", for example `{key.name}: {sample}`" if sample else "")
        where = f"{dotted(path[:-1])} lacks" if path[1:] else "the policy lacks"
        return Problem("PM-02", "error", self._document.positions.of_key(path), f"{where} the key `{key.name}`", hint)

    def bad_key(self, path: Path, shape: Shape, own_words: str | None) -> Problem:
        """The problem of a name of the author's choice that cannot be one."""
        code, sentence, hint = _refused_text(str(path[-1]), shape, own_words)
        subject = f"{dotted(path[:-1])}: {shown(str(path[-1]), 'this name')}"
        return Problem(code, "error", self._document.positions.of_key(path), f"{subject} {sentence}", hint)


def is_refused(path: Path, document: Document) -> bool:
    """Whether a problem already speaks of the value at `path` or of one around it."""
    return any(path[:end] in document.refused for end in range(len(path) + 1))


def repeated(part: str, document: Document) -> list[Problem]:
    """A problem for each name that a list of names holds twice."""
    problems: list[Problem] = []
    _find_repeated((part,), form_at((part,), document.tree), value_at(document.tree, (part,)), document, problems)
    return problems


def _place_in_file(loc: tuple[int | str, ...], error_type: str, tree: Tree) -> tuple[Path, bool]:
    """The path in the file of pydantic's location, and whether it is about the key.

    pydantic adds a step for the member of a union that it tried: a kind of part, or a name of its own.
    """
    *steps, last = loc
    is_key = last == _KEY_MARK and error_type not in ("extra_forbidden", "missing")
    rest = steps if is_key else [*steps, last]
    path: Path = ()
    while rest:
        form = stated_form_at(path, tree)
        if isinstance(form, Either):
            break
        if isinstance(form, OneKindOf):
            rest.pop(0)
        if rest:
            path = (*path, rest.pop(0))
    return path, is_key


def _own_words(error: ErrorDetails) -> str | None:
    """The sentence of a ValueError that our own types raised."""
    raised = error.get("ctx", {}).get("error")
    return str(raised) if isinstance(raised, ValueError) else None


def _refusal(form: Form, value: Tree, own_words: str | None) -> tuple[str, str, str]:
    """Code, sentence and hint for a value that does not have its form."""
    hint = f"for example {form.example}" if form.example else "docs/policy-reference.md shows its keys"
    if not form.is_kind_of(value):
        return "PM-03", f"must be {form.wanted}, and {_kind(value)} stands here", _way_back(form, value) or hint
    if isinstance(form, Words) and isinstance(value, str):
        return _refused_text(value, form.shape, own_words)
    if isinstance(form, Number):
        return "PM-07", f"must be {form.wanted}", hint
    if isinstance(form, ListOf | MapOf):
        return "PM-08", "is empty and needs at least one entry", hint
    if isinstance(form, Choice) and (near := nearest(str(value), map(str, form.values))):
        hint = f"did you mean `{near}`?"
    return "PM-04", f"must be {form.wanted}", hint


def _refused_text(text: str, shape: Shape, own_words: str | None) -> tuple[str, str, str]:
    hint = f"for example {shape.example}"
    if not text:
        return "PM-08", f"is empty and must be {shape.words}", hint
    if len(text) > shape.length_max:
        return "PM-05", f"has {len(text)} characters, and {shape.length_max} are the most", "shorten it"
    if own_words:
        return "PM-06", own_words, hint
    return "PM-06", f"must be {shape.words}", hint


def _kind(value: Tree) -> str:
    """What a value is, in words."""
    kinds = ((bool, "true or false"), (int, "a number"), (date, "a day"), (tuple, "a list"), (dict, "a mapping"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "text")


def _way_back(form: Form, value: Tree) -> str | None:
    """A hint that turns the value itself into what is wanted, where that can be done."""
    if form.is_kind_of("") and isinstance(value, bool | int | date):
        return f'quote it: "{str(value).lower()}"'
    if isinstance(form, ListOf) and isinstance(value, str):
        return f"put it in brackets: [{value}]" if is_showable(value) else "put it in brackets"
    if isinstance(form, Number | YesNo | Day) and isinstance(value, str):
        return f"write it without quotes, for example {form.example}"
    return None


def _find_repeated(path: Path, form: Form | None, value: Tree, document: Document, problems: list[Problem]) -> None:
    if isinstance(value, dict):
        for key, below in value.items():
            inner = (*path, key)
            _find_repeated(inner, form_at(inner, document.tree), below, document, problems)
    elif isinstance(value, tuple) and isinstance(form, ListOf):
        seen: set[str] = set()
        for index, entry in enumerate(value):
            inner = (*path, index)
            if isinstance(entry, str) and entry in seen:
                sentence = f"{dotted(path)} names {shown(entry, 'this')} twice"
                place = document.positions.of_value(inner)
                problems.append(Problem("PM-09", "error", place, sentence, "delete one of the two"))
            elif isinstance(entry, str):
                seen.add(entry)
            else:
                _find_repeated(inner, form.item, entry, document, problems)
