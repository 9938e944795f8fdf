"""What would still be kept or sent although no sentence mentions it any more. Such a change is refused, not planned.

A category without any sentence never gets here: `crouter/policy/rules/said.py` refuses the policy itself. This looks at
two policies, for what was said before and is there still.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crouter.plan.difference.parts import gone, quoted, stay
from crouter.plan.document import Document, compose_document
from crouter.policy.model import Policy
from crouter.policy.problems import Path


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Data that goes on without its sentence. `path` leads into the newer policy."""

    path: Path
    sentence: str
    hint: str


def unsaid_between(before: Policy, after: Policy) -> tuple[Unsaid, ...]:
    """Everything that the newer policy would go on doing without saying so. Pure."""
    return (*_columns(before, after), *_hosts(before, after))


def _columns(before: Policy, after: Policy) -> Iterator[Unsaid]:
    old, new = _mentioned(compose_document(before)), _mentioned(compose_document(after))
    for name, was, now in stay(before.data, after.data):
        for field in was.fields:
            place = f"data.{name}.fields.{field}.label"
            kept_as = "fields" if field in now.fields else "technical" if field in now.technical else None
            if place in old and place not in new and kept_as is not None:
                sentence = f"the column {name}.{field} would stay, and no sentence mentions it any more"
                hint = f"keep the sentence, or remove {field} from data.{name} so that the migration drops the column"
                yield Unsaid(("data", name, kept_as, field), sentence, hint)


def _hosts(before: Policy, after: Policy) -> Iterator[Unsaid]:
    for name, processor in gone(before.processors, after.processors):
        for other, was, now in stay(before.processors, after.processors):
            for number, host in enumerate(now.hosts):
                if host in processor.hosts and host not in was.hosts:
                    sentence = f"{name} is no longer named, and its host would still be reached as one of {other}"
                    hint = f"take the host out, or keep the processor {quoted(processor.label)} and its sentence"
                    yield Unsaid(("processors", other, "hosts", number), sentence, hint)


def _mentioned(document: Document) -> frozenset[str]:
    """The places of policy.yaml whose words stand in some sentence."""
    return frozenset(path for value in document.values() for path in (value.path, *value.also))
