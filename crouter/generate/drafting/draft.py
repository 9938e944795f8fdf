"""From readings to a draft of policy.yaml, and the report of what came of each sentence.

Each value is tried by itself: one with which the draft would not load is left out, and its sentence says why. What the
draft says and no sentence does is listed as assumed. So a first run shows the gap instead of hiding it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from crouter.generate.drafting.answers import RIGHTS, Answers, unfit, with_words
from crouter.generate.drafting.fides import is_manifest, manifest_readings
from crouter.generate.drafting.prose import sentences
from crouter.generate.drafting.recognise import Binding, Reading, read
from crouter.generate.drafting.starter import placed, starter_text
from crouter.generate.drafting.vendors import VENDORS
from crouter.generate.templates import Templates
from crouter.policy.load import load
from crouter.policy.model import Policy
from crouter.policy.problems import Problem

_SHOWN_MAX: Final = 160
# Stated values that an answer takes as they are.
_ANSWERED: Final = {
    "controller.name": "controller",
    "controller.contact": "contact",
    "controller.office": "office",
    "service.name": "name",
    "service.url": "url",
    "retention.usage.keep": "usage_keep",
    "retention.deletion.within": "deletion_within",
    "requests.deadline": "deadline",
    "policy.changes.announced_by": "announced_by",
    "policy.changes.acceptance": "acceptance",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft, and how much of the text it says. `assumed` are parts that the draft says and the text does not."""

    text: str
    readings: tuple[Reading, ...]
    assumed: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "sentences": [
                {
                    "line": reading.sentence.line,
                    "text": reading.sentence.text,
                    "state": "bound" if reading.is_bound else "unbound",
                    "parts": [binding.part for binding in reading.bindings],
                    "not_understood": list(reading.reasons),
                }
                for reading in self.readings
            ],
            "bound": sum(reading.is_bound for reading in self.readings),
            "unbound": sum(not reading.is_bound for reading in self.readings),
            "assumed": list(self.assumed),
        }


def draft_from(text: str, name: str, today: date, given: Mapping[str, str]) -> Draft | tuple[Problem, ...]:
    """A draft of the text of file `name`; or the problems of a manifest that cannot be read.

    `given` are answers that hold whatever the text says.
    """
    if is_manifest(text, name):
        readings, problems = manifest_readings(text, name)
        if problems:
            return problems
    else:
        is_html = name.endswith((".html", ".htm")) or text.lstrip()[:9].lower() in ("<!doctype", "<html>")
        readings = tuple(read(sentence) for sentence in sentences(text, is_html=is_html))
    return _drafted(readings, name, today, given)


def _drafted(readings: tuple[Reading, ...], name: str, today: date, given: Mapping[str, str]) -> Draft:
    templates = Templates()
    answers = Answers(
        name="Our Service",
        url="https://example.com",
        contact="privacy@example.com",
        controller="Our Service",
        effective=today,
        rights=("erasure",),
    )
    answers = with_words(answers, given)
    tried: list[Reading] = []
    taken = set(given)
    for reading in readings:
        left: list[Binding] = []
        reasons = list(reading.reasons)
        for binding in reading.bindings:
            changed = _with(answers, binding, taken)
            if changed is answers or _loads(changed, templates):
                answers = changed
                left.append(binding)
                if binding.value:
                    taken.add(_ANSWERED.get(binding.part, ""))
            else:
                reasons.append(f"{binding.part}: what it says does not fit the draft")
        if not left and not reasons:
            reasons.append("nothing in it is known")
        tried.append(Reading(reading.sentence, tuple(left), tuple(reasons)))
    final = replace(answers, notes=tuple(_notes(tried, name)))
    text = starter_text(final, templates)
    policy = load(text).policy
    assert policy is not None, "every answer was tried"
    return Draft(text, tuple(tried), tuple(_assumed(policy, tried)))


def _with(answers: Answers, binding: Binding, taken: set[str]) -> Answers:
    """The answers with what a binding states; the first sentence that states something wins."""
    part, value = binding.part, binding.value
    answer = _ANSWERED.get(part)
    if answer and value and answer not in taken:
        return with_words(answers, {answer: value})
    if part == "policy.effective" and value:
        return replace(answers, effective=date.fromisoformat(value))
    if part.startswith("rights.") and (right := part.partition(".")[2]) in RIGHTS and right not in answers.rights:
        return replace(answers, rights=tuple(name for name in RIGHTS if name in (*answers.rights, right)))
    if part.startswith("processors."):
        known = {vendor.name: vendor for vendor in VENDORS}
        vendors = (*answers.vendors, known[part.partition(".")[2]])
        return replace(answers, vendors=placed(tuple(dict.fromkeys(vendors))))
    return answers


def _loads(answers: Answers, templates: Templates) -> bool:
    return not unfit(answers) and load(starter_text(answers, templates)).policy is not None


def _notes(readings: list[Reading], name: str) -> Iterator[str]:
    bound = sum(reading.is_bound for reading in readings)
    yield ""
    yield f"DRAFT. Of {len(readings)} sentences of the text, parts below say {bound}. Read all of it: words were"
    yield "matched, meaning was not, and whatever the text did not say is an example. Not understood:"
    for reading in readings:
        if not reading.is_bound:
            yield f"  line {reading.sentence.line}: {_short(reading.sentence.text)}"
            yield f"    unbound: {_short('; '.join(reading.reasons))}"


def _short(text: str) -> str:
    """Words as they may stand in a comment: printable, on one line, not too long."""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return words if len(words) <= _SHOWN_MAX else f"{words[: _SHOWN_MAX - 2]} …"


def _assumed(policy: Policy, readings: list[Reading]) -> Iterator[str]:
    """What the sentences of the draft are about and no sentence of the text is."""
    bound = {binding.part for reading in readings for binding in reading.bindings}
    for section in policy.sections:
        for claim in section.claims.values():
            if not any(_same(claim.about, part) for part in bound):
                yield claim.about


def _same(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
