"""What is promised: `never`, `security`, `rights`, `requests`, `policy.changes`, and the claims of the document."""

from collections.abc import Iterator

from crouter.plan.difference.change import Change, Weight
from crouter.plan.difference.parts import come, gained, gone, lost, named, quoted, stay
from crouter.plan.difference.periods import may_be_longer
from crouter.plan.words import duration_words, joined
from crouter.policy.model import Claim, Policy
from crouter.policy.parts.data import Never
from crouter.policy.parts.promises import Right
from crouter.policy.problems import Path
from crouter.policy.types import Duration


def promise_changes(before: Policy, after: Policy) -> Iterator[Change]:
    """Each promise that comes, goes, or becomes weaker or stronger."""
    yield from _nevers(before, after)
    yield from _security(before, after)
    yield from _rights(before, after)
    yield from _document(before, after)
    yield from _claims(before, after)


def _nevers(before: Policy, after: Policy) -> Iterator[Change]:
    for name, promise in gone(before.never, after.never):
        verbs = joined([verb.replace("_", " ") for verb in promise.not_], "or")
        summary = f"the promise to never {verbs} {quoted(promise.label)} is gone"
        yield Change("customers", "removed", ("never", name), summary, "weaker_promise")
    for name, promise in come(before.never, after.never):
        verbs = joined([verb.replace("_", " ") for verb in promise.not_], "or")
        yield Change("customers", "added", ("never", name), f"a promise to never {verbs} {quoted(promise.label)}")
    for name, old, new in stay(before.never, after.never):
        yield from _never(("never", name), old, new)


def _never(path: Path, before: Never, after: Never) -> Iterator[Change]:
    label = quoted(after.label)
    yield from _list((*path, "not"), before.not_, after.not_, f"{label}: we promise never to")
    yield from _list((*path, "covers"), before.covers, after.covers, f"the promise about {label} covers")
    derived = f"what {label} could be derived from includes"
    yield from _list((*path, "derivable_from"), before.derivable_from, after.derivable_from, derived)
    if before.passes_through_to != after.passes_through_to:
        to = after.passes_through_to
        weight: Weight | None = "new_recipient" if to is not None else None
        summary = f"{label} passes through to {to or 'nobody'} instead of {before.passes_through_to or 'nobody'}"
        yield Change("customers", "changed", (*path, "passes_through_to"), summary, weight)
    if before.data_category != after.data_category:
        wider = before.data_category.startswith(f"{after.data_category}.")
        summary = f"the promise about {label} means {after.data_category} instead of {before.data_category}"
        weight = None if wider else "weaker_promise"
        yield Change("customers", "changed", (*path, "data_category"), summary, weight)


def _list(path: Path, before: tuple[str, ...], after: tuple[str, ...], words: str) -> Iterator[Change]:
    """A list of a promise: what leaves it makes the promise weaker."""
    fewer, more = lost(before, after), gained(before, after)
    if fewer:
        also = f", but now {named(more)}" if more else ""
        yield Change("customers", "changed", path, f"{words} {named(fewer)} no longer{also}", "weaker_promise")
    elif more:
        yield Change("customers", "changed", path, f"{words} {named(more)} too")


def _security(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = before.security.https, after.security.https
    path: Path = ("security", "https")
    if old.minimum_tls != new.minimum_tls:
        weight: Weight | None = "weaker_promise" if new.minimum_tls < old.minimum_tls else None
        summary = f"TLS {new.minimum_tls} is the oldest that is accepted, instead of {old.minimum_tls}"
        yield Change("customers", "changed", (*path, "minimum_tls"), summary, weight)
    if old.hsts != new.hsts:
        weight = "weaker_promise" if may_be_longer(new.hsts, old.hsts) else None
        summary = f"browsers insist on https for {duration_words(new.hsts)} instead of {duration_words(old.hsts)}"
        yield Change("customers", "changed", (*path, "hsts"), summary, weight)
    if old.plain_http != new.plain_http:
        weight = "weaker_promise" if new.plain_http == "redirect" else None
        words = "redirected" if new.plain_http == "redirect" else "refused"
        yield Change("customers", "changed", (*path, "plain_http"), f"a request without encryption is {words}", weight)
    if before.security.edge is not None and after.security.edge is None:
        summary = "nothing stands in front of the service any more"
        yield Change("customers", "removed", ("security", "edge"), summary, "weaker_promise")
    headers: Path = ("proxy", "drops_request_headers")
    fewer = lost(before.proxy.drops_request_headers, after.proxy.drops_request_headers)
    more = gained(before.proxy.drops_request_headers, after.proxy.drops_request_headers)
    if fewer:
        summary = f"these headers of a request are no longer taken out: {joined(fewer)}"
        yield Change("customers", "changed", headers, summary, "weaker_promise")
    elif more:
        yield Change("customers", "changed", headers, f"these headers of a request are taken out too: {joined(more)}")


def _rights(before: Policy, after: Policy) -> Iterator[Change]:
    for name, right in gone(before.rights, after.rights):
        summary = f"the right to {quoted(right.label)} is no longer named"
        yield Change("customers", "removed", ("rights", name), summary, "weaker_promise")
    for name, right in come(before.rights, after.rights):
        yield Change("customers", "added", ("rights", name), f"the right to {quoted(right.label)} is named")
    for name, old, new in stay(before.rights, after.rights):
        yield from _right(("rights", name), old, new)
    old_deadline, new_deadline = before.requests.deadline, after.requests.deadline
    if old_deadline != new_deadline:
        yield _deadline(("requests", "deadline"), old_deadline, new_deadline)


def _right(path: Path, before: Right, after: Right) -> Iterator[Change]:
    yield from _list((*path, "formats"), before.formats, after.formats, f"formats of {quoted(after.label)}:")
    yield from _list((*path, "fields"), before.fields, after.fields, f"{quoted(after.label)} is about")


def _deadline(path: Path, before: Duration, after: Duration) -> Change:
    weight: Weight | None = "weaker_promise" if may_be_longer(before, after) else None
    summary = f"requests are answered within {duration_words(after)} instead of {duration_words(before)}"
    return Change("customers", "changed", path, summary, weight)


def _document(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = before.policy.changes, after.policy.changes
    path: Path = ("policy", "changes")
    if old.announced_by != new.announced_by:
        weight: Weight | None = "weaker_promise" if old.announced_by == "email" else None
        summary = f"significant changes are announced by {new.announced_by} instead of {old.announced_by}"
        yield Change("customers", "changed", (*path, "announced_by"), summary, weight)
    if old.notice != new.notice and (old.notice or new.notice):
        shorter = old.notice is not None and (new.notice is None or may_be_longer(old.notice, new.notice))
        early = duration_words(new.notice) if new.notice is not None else "some time"
        summary = f"significant changes are announced {early} before they take effect"
        if old.notice is not None:
            summary += f", instead of {duration_words(old.notice)}"
        yield Change("customers", "changed", (*path, "notice"), summary, "weaker_promise" if shorter else None)
    yield from _list((*path, "significant"), old.significant, new.significant, "a significant change is")
    if old.acceptance != new.acceptance:
        weight = "weaker_promise" if new.acceptance == "continued_use" else None
        summary = f"a change is accepted by {new.acceptance.replace('_', ' ')}"
        yield Change("customers", "changed", (*path, "acceptance"), summary, weight)
    fewer, more = (
        lost(before.policy.profiles, after.policy.profiles),
        gained(before.policy.profiles, after.policy.profiles),
    )
    if fewer or more:
        words = [f"{joined(more)} too"] if more else []
        words += [f"{joined(fewer)} no longer"] if fewer else []
        summary = f"completeness is judged by {' and '.join(words)}"
        yield Change("law", "changed", ("policy", "profiles"), summary)


def _claims(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = _placed(before), _placed(after)
    for name, (path, _) in gone(old, new):
        summary = f"the document no longer says {name}"
        yield Change("customers", "removed", path, summary, "weaker_promise")
    for name, (path, _) in come(old, new):
        yield Change("customers", "added", path, f"the document also says {name}")
    for name, (first_path, first), (path, second) in stay(old, new):
        titles = (before.sections[_number(first_path)].title, after.sections[_number(path)].title)
        if titles[0] != titles[1]:
            summary = f"{name} stands under {quoted(titles[1])} instead of {quoted(titles[0])}"
            yield Change("customers", "changed", path, summary)
        if (first.says, first.about) != (second.says, second.about):
            summary = f"{name} says another sentence: {second.says} about {second.about}"
            yield Change("customers", "changed", (*path, "says"), summary, "weaker_promise")
        if fewer := lost(first.enforced_by, second.enforced_by):
            summary = f"{name} is no longer enforced by {named(fewer)}"
            yield Change("code", "changed", (*path, "enforced_by"), summary)


def _number(path: Path) -> int:
    number = path[1]
    assert isinstance(number, int), "sections are a list"
    return number


def _placed(policy: Policy) -> dict[str, tuple[Path, Claim]]:
    return {
        name: (("sections", number, "claims", name), claim)
        for number, section in enumerate(policy.sections)
        for name, claim in section.claims.items()
    }
