"""How long: one duration for one thing, periods that jobs, owners and backups allow, exceptions that a law requires."""

import re
from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor
from crouter.policy.problems import Path
from crouter.policy.rules.columns import owners_of
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.types import Duration

_NOT_KEPT = re.compile(
    r"\b(zero[- ]retention|no retention|without (keeping|storing|retaining)"
    r"|(does|do|is|are) not (kept?|keep|stored?|retain(ed)?)"
    r"|never (kept?|keeps|stores?|stored|retain(s|ed)?)|keeps nothing|nothing is kept)\b",
    re.IGNORECASE,
)
_PERIOD = re.compile(r"\b(\d{1,4})[ -](day|week|month|year|hour)s?\b", re.IGNORECASE)
_LETTERS = {"day": "P{}D", "week": "P{}W", "month": "P{}M", "year": "P{}Y", "hour": "PT{}H"}

# Without a name or a number there is nothing that a reader could look up.
_NO_LAW = re.compile(
    r"^(none|n/?a|tbd|tba|todo|unknown|various|other|misc|-+|\?+|x+"
    r"|(the |any |all |applicable |relevant |local |national )*(laws?|legislation|regulations?|legal)"
    r"( reasons?| obligations?| requirements?)?( and (regulations?|legislation|laws?))?"
    r"|(as )?(required|permitted) by (the |applicable |any )*laws?|legitimate interests?|business (needs?|reasons?)"
    r"|internal (policy|policies|reasons?|rules?)|fraud prevention|security|analytics|convenience"
    r"|(tax|accounting) reasons?)\.?$",
    re.IGNORECASE,
)


def _two_deletions(policy: Policy) -> Iterator[Finding]:
    first: dict[str, tuple[str, str]] = {}
    for name, rule in policy.retention.items():
        if isinstance(rule, DeleteAfter):
            for index, category in enumerate(rule.of):
                other, within = first.setdefault(category, (name, rule.within.text))
                if within != rule.within.text:
                    sentence = (
                        f"data.{category} is gone within {rule.within.text} here and within {within} in `{other}`"
                    )
                    yield Finding(("retention", name, "of", index), sentence, "keep it in one of the two")


def _typed_periods(policy: Policy) -> Iterator[Finding]:
    """Periods that somebody typed into the words for a category or a processor."""
    for name, category in policy.data.items():
        declared = list(_periods_of(policy, name))
        texts: list[tuple[Path, str]] = [
            (("data", name, "label"), category.label),
            (("data", name, "when"), category.when),
        ]
        texts += [(("data", name, "fields", key, "label"), field.label) for key, field in category.fields.items()]
        for path, text in texts:
            yield from _typed(path, text, declared, f"the rules of data.{name}")


def _typed_periods_of_processors(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        if isinstance(processor.keeps.for_, Duration):
            for key in ("does", "policy_covers"):
                text = getattr(processor, key)
                yield from _typed(("processors", name, key), text, [processor.keeps.for_], f"processors.{name}.keeps")


def _typed(path: Path, text: str, declared: list[Duration], where: str) -> Iterator[Finding]:
    for number, unit in _PERIOD.findall(text):
        if int(number) and declared:
            typed = Duration.parse(_LETTERS[unit.lower()].format(int(number)))
            if all(not _is_alike(typed, one) for one in declared):
                others = ", ".join(one.text for one in declared)
                sentence = f"the text says {number} {unit.lower()}s, and {where} say {others}"
                yield Finding(path, sentence, "delete the period from the text: sentences are composed with it")


def _is_alike(one: Duration, other: Duration) -> bool:
    return one.seconds_min <= other.seconds_max and other.seconds_min <= one.seconds_max


def _periods_of(policy: Policy, category: str) -> Iterator[Duration]:
    for rule in policy.retention.values():
        if category in rule.of:
            if isinstance(rule, KeepFor):
                yield rule.keep
            elif isinstance(rule, DeleteAfter):
                yield from (rule.within, rule.grace)
                yield from (exception.keep for exception in rule.exceptions if exception.of == category)


def _owned(policy: Policy) -> Iterator[Finding]:
    periods = {
        category: (name, rule) for name, rule in policy.retention.items() for category in rule.of if not _ends(rule)
    }
    for category, (name, rule) in periods.items():
        for owner in owners_of(policy, category):
            # Owners in a circle are a problem of their own.
            if category in owners_of(policy, owner):
                continue
            _, over = periods.get(owner, ("", None))
            if isinstance(over, KeepFor) and (
                not isinstance(rule, KeepFor) or rule.keep.seconds_min > over.keep.seconds_max
            ):
                kept = rule.keep.text if isinstance(rule, KeepFor) else "while the account is active"
                sentence = (
                    f"data.{category} is kept {kept}, and data.{owner}, which owns it, goes after {over.keep.text}"
                )
                index = list(rule.of).index(category)
                yield Finding(("retention", name, "of", index), sentence, f"keep data.{owner} at least as long")


def _ends(rule: object) -> bool:
    return isinstance(rule, DeleteAfter)


def _laws(policy: Policy) -> Iterator[Finding]:
    for name, rule in policy.retention.items():
        if isinstance(rule, DeleteAfter):
            for index, exception in enumerate(rule.exceptions):
                if _NO_LAW.match(exception.law.strip()):
                    path = ("retention", name, "exceptions", index, "law")
                    sentence = f"the exception for data.{exception.of} names no law"
                    yield Finding(
                        path, sentence, "name law and article, for example Directive 2006/112/EC, Article 369k"
                    )


def _exceptions_that_end_early(policy: Policy) -> Iterator[Finding]:
    for name, rule in policy.retention.items():
        if isinstance(rule, DeleteAfter):
            for index, exception in enumerate(rule.exceptions):
                if exception.keep.seconds_max <= rule.within.seconds_min:
                    path = ("retention", name, "exceptions", index, "keep")
                    sentence = f"{exception.keep.text} is over before the deletion that it is an exception from"
                    yield Finding(path, sentence, f"delete the exception, or keep longer than {rule.within.text}")


def _receivers(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        keeps = processor.keeps.for_
        kept = keeps.text if isinstance(keeps, Duration) else keeps
        if processor.mode == "store" and keeps == "none":
            sentence = f"{name} stores what it receives, and by its own statement keeps it not at all"
            yield Finding(
                ("processors", name, "keeps", "for"), sentence, "write `mode: transit`, or the period it states"
            )
        for key in ("does", "policy_covers", "label"):
            if keeps not in ("none", "unstated") and _NOT_KEPT.search(getattr(processor, key)):
                sentence = f"the text says that {name} keeps nothing, and `keeps` says {kept}"
                yield Finding(("processors", name, key), sentence, "delete the words: the period is told by itself")
    for name, never in policy.never.items():
        for index, text in enumerate((never.label, *never.covers)):
            receiver = policy.processors.get(never.passes_through_to or "")
            if receiver is not None and receiver.keeps.for_ != "none" and _NOT_KEPT.search(text):
                path: Path = ("never", name, "covers", index - 1) if index else ("never", name, "label")
                sentence = (
                    f"the text says that nothing is kept, and {never.passes_through_to} keeps it by its own statement"
                )
                yield Finding(path, sentence, "delete the words: what we do is told by the verbs of `not`")


def _passed_on(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        keeps = processor.keeps.for_
        passed_on = [received for received in processor.receives if received.partition(".")[0] in policy.data]
        # What a period of such a one is about may be the content.
        is_judged = processor.mode == "transit" and "content" not in processor.receives
        if is_judged and passed_on and keeps not in ("none", "unstated"):
            kept = keeps.text if isinstance(keeps, Duration) else keeps
            sentence = f"{passed_on[0]} is said to pass through {name} only, and `keeps` says {kept}"
            yield Finding(("processors", name, "mode"), sentence, "write `mode: store`")


def _silent_receivers(policy: Policy) -> Iterator[Finding]:
    """Whoever sees what is "not retained" and states no period."""
    for name, never in policy.never.items():
        if never.passes_through_to is None or not {"retain", "store"} & set(never.not_):
            continue
        for receiver, processor in policy.processors.items():
            sees = receiver == never.passes_through_to or "content" in processor.receives
            if sees and not isinstance(processor.keeps.for_, Duration) and processor.keeps.for_ != "none":
                sentence = (
                    f"never.{name} passes through {receiver}, and how long that keeps it is {processor.keeps.for_}"
                )
                hint = "find the period that it states, with its source; else say openly that it states none"
                yield Finding(("processors", receiver, "keeps", "for"), sentence, hint)


RULES = (
    Rule("PX-09", ("never", "processors"), _receivers),
    Rule("PX-09", ("data", "processors"), _passed_on),
    Rule("PX-11", ("retention",), _two_deletions),
    Rule("PX-11", ("data", "retention"), _typed_periods),
    Rule("PX-11", ("processors",), _typed_periods_of_processors),
    Rule("PX-12", ("data", "retention"), _owned),
    Rule("PX-13", ("retention",), _laws),
    Rule("PX-13", ("retention",), _exceptions_that_end_early),
)
ADVICE = (Rule("PX-10", ("never", "processors"), _silent_receivers),)
