"""What is never kept reaches no sink: no log, metric, cookie, storage key, analytics event, and no forwarded header."""

import re
from collections.abc import Callable, Iterator

from crouter.policy.model import Policy
from crouter.policy.ontology import label_of
from crouter.policy.ontology_terms import CONNECTION, HEADERS
from crouter.policy.problems import Path
from crouter.policy.rules.contradictions.scope import SINKING, Relation, Thing, scope_of, scopes
from crouter.policy.rules.frame import Check, Finding, Rule

Sink = tuple[Path, str, Thing]

_KEEPING = re.compile(r"\b(stor|log|keep|retain|record|sav|archiv)(e|es|ing|ging)?\b", re.IGNORECASE)
_ABOUT_PEOPLE = frozenset({"collect", "track"})
_PASSED_ON = frozenset({"collect", "track", "share"})


def _logs(policy: Policy) -> Iterator[Sink]:
    for stream, fields in policy.logging.items():
        for field in fields:
            yield ("logging", stream, field), f"the log field {stream}.{field}", Thing((field,))


def _metrics(policy: Policy) -> Iterator[Sink]:
    for name, metric in policy.metrics.items():
        for index, label in enumerate(metric.labels):
            yield ("metrics", name, "labels", index), f"the metric label {name}.{label}", Thing((label,))


def _cookies(policy: Policy) -> Iterator[Sink]:
    for name in policy.cookies:
        yield ("cookies", name), f"the cookie {name}", Thing((name,))


def _storage(policy: Policy) -> Iterator[Sink]:
    for name in policy.storage:
        yield ("storage", name), f"the storage key {name}", Thing((name,))


def _events(policy: Policy) -> Iterator[Sink]:
    if policy.analytics is not None:
        for name, event in policy.analytics.events.items():
            path = ("analytics", "events", name)
            yield path, f"the analytics event {name}", Thing((event.label, name, *event.properties))


def _tasks(policy: Policy) -> Iterator[Sink]:
    for name, processor in policy.processors.items():
        yield ("processors", name, "does"), f"what {name} does", Thing((processor.does,))


def _keeping_tasks(policy: Policy) -> Iterator[Sink]:
    return (sink for sink in _tasks(policy) if _KEEPING.search(sink[2].texts[0]))


def _reasons(policy: Policy) -> Iterator[Sink]:
    for name, purpose in policy.purposes.items():
        yield ("purposes", name, "label"), f"the purpose {name}", Thing((purpose.label,))


SINKS: tuple[tuple[tuple[str, ...], Callable[[Policy], Iterator[Sink]], frozenset[str]], ...] = (
    (("logging",), _logs, SINKING),
    (("metrics",), _metrics, SINKING),
    (("cookies",), _cookies, SINKING),
    (("storage",), _storage, SINKING),
    (("analytics",), _events, _ABOUT_PEOPLE),
    # Of what only may not be stored, somebody may well do something: answering prompts, taking card payments.
    (("processors",), _tasks, _ABOUT_PEOPLE),
    (("processors",), _keeping_tasks, SINKING - _ABOUT_PEOPLE),
    (("purposes",), _reasons, _ABOUT_PEOPLE),
)
"""The parts of a sink, what stands in it, and the verbs that it would break."""


def _finder(
    sinks: Callable[[Policy], Iterator[Sink]], verbs: frozenset[str], wanted: frozenset[Relation], how: str
) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        for scope, verb in scopes(policy, verbs):
            for path, what, thing in sinks(policy):
                if scope.relation(thing) in wanted:
                    sentence = f"{what} {how} what never.{scope.name} forbids to {verb}"
                    hint = f"delete it, or take `{verb}` out of never.{scope.name}"
                    yield Finding(path, sentence, hint, at_key=len(path) < 3 or path[0] in ("logging", "analytics"))

    return check


def _analytics_connection(policy: Policy) -> Iterator[Finding]:
    """Whoever receives an event could see where it comes from, unless that is taken out."""
    analytics = policy.analytics
    if analytics is None:
        return
    taken_out = Thing(analytics.never_sends).terms
    for scope, verb in scopes(policy, SINKING | {"share"}):
        for term in CONNECTION:
            if term not in taken_out and scope.is_broken_by(term):
                what, to = label_of(term), analytics.processor
                derived = "is" if term in scope.own | scope.covered else "gives away"
                sentence = (
                    f"analytics may send the {what} to {to}, which {derived} what never.{scope.name} forbids to {verb}"
                )
                yield Finding(("analytics", "never_sends"), sentence, f"add to `never_sends`: {what}", at_key=True)


def _headers(policy: Policy) -> Iterator[Finding]:
    """Headers of anybody, and those of the edge that the policy declares. `edge` needs `security` and `processors`."""
    edge = policy.security.edge
    processor = policy.processors.get(edge.processor) if edge else None
    words = f"{processor.label} {edge.runtime}" if processor and edge else ""
    forwarded = [name for name, (_, vendor) in HEADERS.items() if not vendor or vendor in words]
    for scope, verb in scopes(policy, _PASSED_ON):
        for name in forwarded:
            term = HEADERS[name][0]
            if scope.is_broken_by(term) and not is_dropped(policy, name):
                sentence = f"the header {name} is forwarded and tells what never.{scope.name} forbids to {verb}"
                yield Finding(("proxy", "drops_request_headers"), sentence, f"add {name} to it", at_key=True)


def _headers_of_others(policy: Policy) -> Iterator[Finding]:
    """Headers of edges that the policy does not declare: they come only if somebody's own edge is in front."""
    edge = policy.security.edge
    processor = policy.processors.get(edge.processor) if edge else None
    words = f"{processor.label} {edge.runtime}" if processor and edge else ""
    for scope, verb in scopes(policy, _PASSED_ON):
        missed = [
            name
            for name, (term, vendor) in HEADERS.items()
            if vendor and vendor not in words and scope.is_broken_by(term) and not is_dropped(policy, name)
        ]
        if missed:
            sentence = (
                f"a client's own edge may add {', '.join(missed)}, "
                f"which tells what never.{scope.name} forbids to {verb}"
            )
            yield Finding(("proxy", "drops_request_headers"), sentence, "add them, or their prefixes", at_key=True)


def is_dropped(policy: Policy, name: str) -> bool:
    """Whether a header of a request is taken out before it is forwarded."""
    patterns = policy.proxy.drops_request_headers
    return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in patterns)


def _exceptions_in_words(policy: Policy) -> Iterator[Finding]:
    for name, never in policy.never.items():
        for path, text in ((("never", name, "label"), never.label), *_covered(name, never.covers)):
            word = next((word for word in EXCEPTING if f" {word} " in f" {text.lower()} "), None)
            if word:
                sentence = f"“{word}” takes part of the promise never.{scope_of(name, never).name} back"
                hint = "promise what holds without exception; what a law requires stands in `exceptions`"
                yield Finding(path, sentence, hint)


def _covered(name: str, covers: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    return ((("never", name, "covers", index), text) for index, text in enumerate(covers))


EXCEPTING = ("except", "unless", "other than", "apart from", "excluding", "but not", "with the exception of")
"""Words by which a promise is taken back."""

DIRECT: frozenset[Relation] = frozenset({"same", "part"})
INDIRECT: frozenset[Relation] = frozenset({"derivable"})

RULES = (
    *(Rule("PX-04", ("never", *parts), _finder(sinks, verbs, DIRECT, "is about")) for parts, sinks, verbs in SINKS),
    *(Rule("PX-05", ("never", *parts), _finder(sinks, verbs, INDIRECT, "gives away")) for parts, sinks, verbs in SINKS),
    Rule("PX-05", ("analytics", "never"), _analytics_connection),
    Rule("PX-06", ("never", "processors", "proxy", "security"), _headers),
    Rule("PX-14", ("never",), _exceptions_in_words),
)
ADVICE = (Rule("PX-31", ("never", "processors", "proxy", "security"), _headers_of_others),)
