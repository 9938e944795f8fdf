"""Who may receive what: content stays on the way of a request, analytics go to one processor, hosts belong to one."""

from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.rules.frame import Finding, Rule

# Below these, names are given to anybody who asks, as in co.uk or com.au.
_OPEN_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "net", "ne", "or", "org"})


def _upstream(policy: Policy) -> Iterator[Finding]:
    name = policy.proxy.upstream
    processor = policy.processors.get(name)
    if processor is None:
        return
    if processor.mode != "transit":
        sentence = f"{name} is the upstream, and its mode is {processor.mode}"
        yield Finding(("processors", name, "mode"), sentence, "write `mode: transit`, or name another upstream")
    if "content" not in processor.receives:
        sentence = f"{name} is the upstream and does not receive content"
        yield Finding(("processors", name, "receives"), sentence, "add content to `receives`, or name another upstream")


def _content(policy: Policy) -> Iterator[Finding]:
    if policy.proxy.upstream not in policy.processors:
        return
    on_the_way = {policy.proxy.upstream}
    if policy.security.edge is not None:
        on_the_way.add(policy.security.edge.processor)
    for name, processor in policy.processors.items():
        if "content" not in processor.receives:
            continue
        index = processor.receives.index("content")
        if name not in on_the_way:
            sentence = f"{name} receives content and is neither proxy.upstream nor security.edge.processor"
            yield Finding(("processors", name, "receives", index), sentence, "take content out of `receives`")
        elif processor.mode != "transit" and name != policy.proxy.upstream:
            sentence = f"{name} receives content, and its mode is {processor.mode}"
            yield Finding(("processors", name, "mode"), sentence, "write `mode: transit`")


def _passes_through(policy: Policy) -> Iterator[Finding]:
    for name, never in policy.never.items():
        processor = policy.processors.get(never.passes_through_to or "")
        if processor is not None and (processor.mode != "transit" or "content" not in processor.receives):
            sentence = f"{never.passes_through_to} is no processor that content only passes through"
            hint = "name one whose mode is transit and that receives content"
            yield Finding(("never", name, "passes_through_to"), sentence, hint)


def _analytics(policy: Policy) -> Iterator[Finding]:
    measured_by = policy.analytics.processor if policy.analytics else None
    processor = policy.processors.get(measured_by or "")
    if processor is not None and "analytics" not in processor.receives:
        sentence = f"{measured_by} is the processor of analytics and does not receive analytics"
        yield Finding(("processors", str(measured_by), "receives"), sentence, "add analytics to `receives`")
    for name, other in policy.processors.items():
        if "analytics" in other.receives and name != measured_by:
            path = ("processors", name, "receives", other.receives.index("analytics"))
            sentence = f"{name} receives analytics and is not analytics.processor"
            yield Finding(path, sentence, "take analytics out of `receives`")


def _wide_hosts(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        for index, host in enumerate(processor.hosts):
            if host.startswith("*.") and _is_open(host.removeprefix("*.")):
                sentence = "the pattern covers hosts that belong to anybody"
                yield Finding(("processors", name, "hosts", index), sentence, "name the processor's own domain")


def _is_open(domain: str) -> bool:
    """Whether anybody can have a name right below this domain: a top level, or one like co.uk."""
    first, *rest = domain.split(".")
    return not rest or (len(rest) == 1 and len(rest[0]) == 2 and first in _OPEN_SECOND_LEVELS)


def _shared_hosts(policy: Policy) -> Iterator[Finding]:
    declared = [(name, i, host) for name, p in policy.processors.items() for i, host in enumerate(p.hosts)]
    owners: dict[str, str] = {}
    for name, _, host in declared:
        owners.setdefault(host, name)
    for name, index, host in declared:
        for pattern in (host, *_wider_patterns(host)):
            if owners.get(pattern, name) != name:
                sentence = f"`{pattern}` of {owners[pattern]} covers this host of {name}"
                hint = "a host belongs to one processor: narrow one of the two"
                yield Finding(("processors", name, "hosts", index), sentence, hint)
                break


def _wider_patterns(host: str) -> Iterator[str]:
    labels = host.removeprefix("*.").split(".")
    return ("*." + ".".join(labels[start:]) for start in range(1, len(labels)))


RULES = (
    Rule("PR-30", ("proxy", "processors"), _upstream),
    Rule("PR-31", ("proxy", "processors", "security"), _content),
    Rule("PR-31", ("never", "processors"), _passes_through),
    Rule("PR-32", ("analytics", "processors"), _analytics),
    Rule("PR-33", ("processors",), _wide_hosts),
    Rule("PR-34", ("processors",), _shared_hosts),
)
