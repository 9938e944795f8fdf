"""Who gives what to whom: the facts of the data-flow diagram, before anything is drawn.

What is kept and who receives it is one story, content that only passes through another: the two are told apart.
How it looks is in `record_flow_svg.py` and `record_flow_mermaid.py`.
"""

from dataclasses import dataclass

from crouter.generate.views.record_facts import MISSING_MARK, erasure_of, kept_words
from crouter.plan.words import capitalised, duration_words, joined
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory
from crouter.policy.parts.parties import Processor
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive

PEOPLE = "Customers"
_CONTENT, _ANALYTICS = "content", "analytics"


@dataclass(frozen=True, slots=True)
class Kept:
    """A category of data about people: what it holds, how it comes, how long it stays."""

    name: str
    label: str
    holds: str
    comes: str
    stays: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Another party, what it is for, what it is given, and how long it keeps that by its own word."""

    name: str
    label: str
    does: str
    receives: str
    keeps: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole diagram in words. `before` and `after` are the stops of content on both sides of the service."""

    service: str
    browser: tuple[str, ...]
    kept: tuple[Kept, ...]
    receivers: tuple[Receiver, ...]
    content: str
    before: tuple[Receiver, ...]
    after: tuple[Receiver, ...]
    deletion: str
    beside: str

    @property
    def title(self) -> str:
        """The title of the diagram."""
        return f"Where data goes at {self.service}"

    @property
    def summary(self) -> str:
        """The diagram in sentences, for those who do not see it."""
        said = [f"{PEOPLE} give {self.service} {joined([_with(kept.label, kept.holds) for kept in self.kept])}."]
        said += [f"{party.label} receives {party.receives}; it keeps it {party.keeps}." for party in self.receivers]
        stops = [*self.before, *self.after]
        if stops:
            through = joined([stop.label for stop in stops])
            said.append(f"{capitalised(self.content)} only passes through {self.service}, to and from {through}.")
        return " ".join(sentence for sentence in (*said, self.deletion, self.beside) if sentence)


def data_flow(policy: Policy) -> Flow:
    """The facts, in the order of policy.yaml."""
    content = next((never.label for never in policy.never.values() if never.passes_through_to), _CONTENT)
    edge = policy.security.edge.processor if policy.security.edge else None
    passing = [name for name, party in policy.processors.items() if _CONTENT in party.receives]
    return Flow(
        service=policy.service.name,
        browser=(*policy.cookies, *policy.storage),
        kept=(*_kept(policy), *_measured(policy)),
        receivers=tuple(_receiver(policy, name) for name in policy.processors if _given(policy, name)),
        content=content,
        before=tuple(_stop(policy, name) for name in passing if name == edge),
        after=tuple(_stop(policy, name) for name in passing if name != edge),
        deletion=_deletion(policy),
        beside=_beside(policy),
    )


def _kept(policy: Policy) -> list[Kept]:
    return [
        Kept(
            name=name,
            label=category.label,
            holds=_listed([field.label for field in category.fields.values()]),
            comes=_comes(policy, category),
            stays=_stays(policy, name),
        )
        for name, category in policy.data.items()
        if category.subject != "none"
    ]


def _comes(policy: Policy, category: DataCategory) -> str:
    """From where; what the service makes itself says when instead."""
    names = dict.fromkeys([field.source or category.source for field in category.fields.values()] or [category.source])
    sources = [policy.sources[name] for name in names]
    if any(source.kind == "service" for source in sources):
        return f"when {category.when}"
    return _listed([source.label for source in sources])


def _measured(policy: Policy) -> list[Kept]:
    analytics = policy.analytics
    if analytics is None:
        return []
    asked = {"opt_in": "only after consent", "opt_out": "until refused", "always": "without asking"}
    mode = policy.consent.modes.get("analytics")
    return [
        Kept(
            name=_ANALYTICS,
            label="Analytics events",
            holds=_listed([event.label for event in analytics.events.values()]),
            comes=f"our web pages, {asked[mode]}" if mode else "our web pages",
            stays="handed on, not kept here",
        )
    ]


def _stays(policy: Policy, category: str) -> str:
    for rule in policy.retention.values():
        if category in rule.of and isinstance(rule, KeepWhileActive):
            return "kept as long as the account is active"
        if category in rule.of and isinstance(rule, KeepFor):
            return f"kept for {duration_words(rule.keep)}"
    return "; ".join(erasure_of(policy, category))


def _given(policy: Policy, name: str) -> list[str]:
    """What a party receives beside content, in words: whole categories, or single fields of one."""
    whole: list[str] = []
    fields: dict[str, list[str]] = {}
    for path in policy.processors[name].receives:
        category, _, field = path.partition(".")
        if category == _ANALYTICS:
            whole.append("analytics events")
        elif category in policy.data and field:
            fields.setdefault(category, []).append(policy.data[category].fields[field].label)
        elif category in policy.data:
            whole.append(policy.data[category].label)
    return [*whole, *(f"{_listed(labels)} of {policy.data[category].label}" for category, labels in fields.items())]


def _receiver(policy: Policy, name: str) -> Receiver:
    party = policy.processors[name]
    return Receiver(name, party.label, party.does, _listed(_given(policy, name)), _keeps(party))


def _stop(policy: Policy, name: str) -> Receiver:
    party = policy.processors[name]
    return Receiver(name, party.label, party.does, _CONTENT, _keeps(party))


def _keeps(party: Processor) -> str:
    kept = party.keeps.for_
    return f"{MISSING_MARK}: it does not say how long" if kept == "unstated" else kept_words(kept)


def _deletion(policy: Policy) -> str:
    for rule in policy.retention.values():
        if isinstance(rule, DeleteAfter):
            words = f"Within {duration_words(rule.within)} after a person asks for deletion, all of it is gone"
            laws = list(dict.fromkeys(exception.law for exception in rule.exceptions))
            return f"{words}, except what has to be kept under {joined(laws)}." if laws else f"{words}."
    return ""


def _beside(policy: Policy) -> str:
    labels = [category.label for category in policy.data.values() if category.subject == "none"]
    return f"Also kept, and about nobody: {joined(labels)}." if labels else ""


def _listed(labels: list[str]) -> str:
    return joined(list(dict.fromkeys(labels))) if labels else "nothing but technical columns"


def _with(label: str, holds: str) -> str:
    return f"{label} ({holds})"
