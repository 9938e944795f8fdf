"""What a browser keeps and sends: `cookies`, `storage`, `consent`, `analytics`; and whether to ask again."""

from collections.abc import Iterator

from crouter.plan.difference.change import Change, Weight
from crouter.plan.difference.parts import come, gained, gone, lost, named, quoted, stay
from crouter.plan.difference.periods import may_be_longer
from crouter.policy.model import Policy
from crouter.policy.parts.surface import Analytics, Cookie, StorageKey
from crouter.policy.problems import Path
from crouter.policy.types import Duration

# The later, the less is asked.
_MODES = ("opt_in", "opt_out", "always")
_MODE_WORDS = {"opt_in": "only after consent", "opt_out": "until it is refused", "always": "always"}
_LIFETIMES = ("session", "period", "persistent")


def browser_changes(before: Policy, after: Policy) -> Iterator[Change]:
    """Cookies and storage keys, consent, analytics."""
    yield from _entries(before, after)
    yield from _consent(before, after)
    yield from _analytics(before, after)


def _entries(before: Policy, after: Policy) -> Iterator[Change]:
    for part, noun in (("cookies", "cookie"), ("storage", "storage key")):
        old: dict[str, Cookie | StorageKey] = dict(getattr(before, part))
        new: dict[str, Cookie | StorageKey] = dict(getattr(after, part))
        for name, entry in come(old, new):
            waits = entry.category != "essential"
            summary = f"a new {noun}, {name}, {'which waits for consent' if waits else 'which is essential'}"
            weight: Weight | None = "new_data" if waits else None
            yield Change("cookies", "added", (part, name), summary, weight, asks_again=waits)
        for name, _ in gone(old, new):
            yield Change("cookies", "removed", (part, name), f"no {noun} {name} any more")
        for name, first, second in stay(old, new):
            yield from _entry((part, name), name, first, second)


def _entry(path: Path, name: str, before: Cookie | StorageKey, after: Cookie | StorageKey) -> Iterator[Change]:
    waits = after.category != "essential"
    if before.category != after.category:
        weight: Weight | None = None if waits else "weaker_promise"
        summary = f"{name} counts as {after.category} instead of {before.category}"
        yield Change("cookies", "changed", (*path, "category"), summary, weight, asks_again=waits)
    if before.purpose != after.purpose:
        summary = f"{name} is for {after.purpose.replace('_', ' ')} instead of {before.purpose.replace('_', ' ')}"
        yield Change("cookies", "changed", (*path, "purpose"), summary, "new_purpose", asks_again=waits)
    if before.lifetime != after.lifetime:
        longer = _lives_longer(before.lifetime, after.lifetime)
        summary = f"{name} stays {_written(after.lifetime)} instead of {_written(before.lifetime)}"
        weight = "longer_retention" if longer else None
        yield Change("cookies", "changed", (*path, "lifetime"), summary, weight, asks_again=longer and waits)
    if isinstance(before, Cookie) and isinstance(after, Cookie):
        if before.http_only != after.http_only:
            weight = None if after.http_only else "weaker_promise"
            summary = f"scripts of our pages {'can no longer' if after.http_only else 'can'} read {name}"
            yield Change("cookies", "changed", (*path, "http_only"), summary, weight)
        if before.same_site != after.same_site:
            weight = "weaker_promise" if after.same_site == "lax" else None
            summary = f"{name} goes along with requests from other sites: {after.same_site}"
            yield Change("cookies", "changed", (*path, "same_site"), summary, weight)
    elif isinstance(before, StorageKey) and isinstance(after, StorageKey) and before.kind != after.kind:
        weight = "longer_retention" if after.kind == "local_storage" else None
        summary = f"{name} is kept in {after.kind.replace('_', ' ')}"
        yield Change("cookies", "changed", (*path, "kind"), summary, weight, asks_again=weight is not None and waits)


def _lives_longer(before: Duration | str, after: Duration | str) -> bool:
    if isinstance(before, Duration) and isinstance(after, Duration):
        return may_be_longer(before, after)
    return _rank(after) > _rank(before)


def _rank(lifetime: Duration | str) -> int:
    return _LIFETIMES.index("period" if isinstance(lifetime, Duration) else lifetime)


def _written(lifetime: Duration | str) -> str:
    return lifetime.text if isinstance(lifetime, Duration) else lifetime


def _consent(before: Policy, after: Policy) -> Iterator[Change]:
    for category in sorted({*before.consent.modes, *after.consent.modes}):
        # What has no mode waits for consent, unless it is essential: see `crouter.plan.web.consent_mode`.
        default = "always" if category == "essential" else "opt_in"
        old, new = before.consent.modes.get(category, default), after.consent.modes.get(category, default)
        if old != new:
            weaker = _MODES.index(new) > _MODES.index(old)
            summary = f"{category} cookies, keys and events are used {_MODE_WORDS[new]} instead of {_MODE_WORDS[old]}"
            weight: Weight | None = "weaker_promise" if weaker else None
            path: Path = ("consent", "modes", category)
            yield Change("cookies", "changed", path, summary, weight, asks_again=new == "opt_in")
    fewer, more = (
        lost(before.consent.honours, after.consent.honours),
        gained(before.consent.honours, after.consent.honours),
    )
    if fewer:
        summary = f"no longer counts as a refusal: {named(fewer)}"
        yield Change("cookies", "changed", ("consent", "honours"), summary, "weaker_promise")
    elif more:
        yield Change("cookies", "changed", ("consent", "honours"), f"counts as a refusal too: {named(more)}")


def _analytics(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = before.analytics, after.analytics
    if old is None and new is not None:
        labels = named([event.label for event in new.events.values()])
        yield Change("cookies", "added", ("analytics",), f"{labels} are measured", "new_data", asks_again=True)
    elif old is not None and new is None:
        yield Change("cookies", "removed", ("analytics",), "nothing is measured on the pages any more")
    elif old is not None and new is not None:
        yield from _measured(old, new)


def _measured(before: Analytics, after: Analytics) -> Iterator[Change]:
    if before.processor != after.processor:
        summary = f"events go to {after.processor} instead of {before.processor}"
        path: Path = ("analytics", "processor")
        yield Change("cookies", "changed", path, summary, "new_recipient", asks_again=True)
    for name, event in come(before.events, after.events):
        summary = f"{quoted(event.label)} are measured too"
        yield Change("cookies", "added", ("analytics", "events", name), summary, "new_data", asks_again=True)
    for name, event in gone(before.events, after.events):
        yield Change("cookies", "removed", ("analytics", "events", name), f"{quoted(event.label)} are not measured")
    for name, old, new in stay(before.events, after.events):
        path = ("analytics", "events", name, "properties")
        if more := gained(old.properties, new.properties):
            summary = f"{quoted(new.label)} also tell {named(more)}"
            yield Change("cookies", "changed", path, summary, "new_data", asks_again=True)
        elif fewer := lost(old.properties, new.properties):
            yield Change("cookies", "changed", path, f"{quoted(new.label)} no longer tell {named(fewer)}")
    path = ("analytics", "never_sends")
    if dropped := lost(before.never_sends, after.never_sends):
        summary = f"the promise never to send this is gone: {named(dropped)}"
        yield Change("cookies", "changed", path, summary, "weaker_promise", asks_again=True)
    elif added := gained(before.never_sends, after.never_sends):
        yield Change("cookies", "changed", path, f"is never sent either: {named(added)}")
