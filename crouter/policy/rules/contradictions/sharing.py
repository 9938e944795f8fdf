"""What is never shared, sold or used for marketing is received by nobody for that."""

import re
from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.parts.data import Purpose
from crouter.policy.problems import Path
from crouter.policy.rules.claims import placed_claims
from crouter.policy.rules.contradictions.kept import columns
from crouter.policy.rules.contradictions.scope import Scope, Thing, scopes
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.vendors import vendor_of_host, vendors_in

_SHARE = frozenset({"share"})
_SALE = frozenset({"sell", "rent", "share_for_marketing"})
_MARKETING_USES = ("marketing", "third_party_sharing", "personalize.ads", "sell", "advertising")
_MARKETING_TERMS = ("Marketing", "Advertising", "SellData", "SellInsights")
_MARKETING_WORDS = re.compile(
    r"\b(market(ing|s)?|advert\w*|retarget\w*|remarket\w*|ads?|ad network|sell(s|ing)?|sale of|data broker\w*"
    r"|lookalike\w*|promotion(s|al)?|campaigns?)\b",
    re.IGNORECASE,
)


def serves_marketing(purpose: Purpose) -> bool:
    """Whether a purpose is marketing, advertising or a sale, by its standard terms or by its words."""
    by_use = any(purpose.data_use == use or purpose.data_use.startswith(f"{use}.") for use in _MARKETING_USES)
    by_term = any(term in purpose.dpv for term in _MARKETING_TERMS)
    return by_use or by_term or bool(_MARKETING_WORDS.search(purpose.label))


def _shared(policy: Policy) -> Iterator[Finding]:
    meanings = {name: thing for _, name, thing in columns(policy)}
    for scope, _ in scopes(policy, _SHARE):
        for name, processor in policy.processors.items():
            for index, received in enumerate(processor.receives):
                passes = received == "content" and name == scope.never.passes_through_to
                if not passes and _is_shared(scope, received, policy, meanings):
                    sentence = f"{name} receives {received}, which never.{scope.name} forbids to share"
                    hint = f"take {received} out of `receives`, or `share` out of never.{scope.name}"
                    yield Finding(("processors", name, "receives", index), sentence, hint)


def _is_shared(scope: Scope, received: str, policy: Policy, meanings: dict[str, Thing]) -> bool:
    if received == "content":
        return scope.relation(Thing(("content",), "user.content")) in ("same", "part")
    if received == "analytics":
        events = policy.analytics.events.values() if policy.analytics else ()
        return any(scope.relation(Thing((event.label, *event.properties))) for event in events)
    category = policy.data.get(received.partition(".")[0])
    things = [meanings[received]] if received in meanings else []
    if received in policy.data:
        things = [thing for name, thing in meanings.items() if name.startswith(f"{received}.")]
    everything = bool(scope.own & {"person"}) and category is not None and category.subject == "customer"
    label = category is not None and scope.relation(Thing((category.label,))) in ("same", "part")
    return everything or label or any(scope.relation(thing) for thing in things)


def _marketing_processors(policy: Policy) -> Iterator[Finding]:
    promised = _ruled_out(policy)
    if promised is None:
        return
    for name, processor in policy.processors.items():
        hint = f"delete the processor or the purpose, or take back {promised}"
        for index, purpose in enumerate(processor.purposes):
            if purpose in policy.purposes and serves_marketing(policy.purposes[purpose]):
                sentence = f"{name} serves {purpose}, and {promised} rules that out"
                yield Finding(("processors", name, "purposes", index), sentence, hint)
        advertises = any(vendor.kind == "advertising" for vendor, _ in vendors_in(processor.label))
        if _MARKETING_WORDS.search(processor.does) or advertises:
            key = "does" if _MARKETING_WORDS.search(processor.does) else "label"
            sentence = f"{name} is there for advertising or marketing, and {promised} rules that out"
            yield Finding(("processors", name, key), sentence, hint)
        for index, host in enumerate(processor.hosts):
            vendor = vendor_of_host(host)
            if vendor is not None and vendor.kind == "advertising" and not advertises:
                sentence = f"`{host}` of {name} is a host for advertising, and {promised} rules that out"
                yield Finding(("processors", name, "hosts", index), sentence, hint)


def _marketing_cookies(policy: Policy) -> Iterator[Finding]:
    ruled_out = _no_advertising(policy)
    if ruled_out is None:
        return
    kept: list[tuple[Path, str]] = [
        *((("cookies", name, "purpose"), cookie.purpose) for name, cookie in policy.cookies.items()),
        *((("storage", name, "purpose"), key.purpose) for name, key in policy.storage.items()),
    ]
    for path, purpose in kept:
        if purpose in policy.purposes and serves_marketing(policy.purposes[purpose]):
            sentence = f"{path[0]}.{path[1]} serves {purpose}, and {ruled_out} says that there is no advertising"
            yield Finding(path, sentence, "delete it, or delete the claim")


def _negatives_of_claims(policy: Policy) -> Iterator[Finding]:
    """ "No sale to advertisers" needs an entry that forbids the sale."""
    for placed in placed_claims(policy):
        never = policy.never.get(placed.claim.about.removeprefix("never."))
        if never is None:
            continue
        if placed.claim.says == "no_advertising" and not _SALE & set(never.not_):
            sentence = f"{placed.claim.about} forbids neither a sale nor marketing, so nothing keeps this sentence"
            yield Finding(
                (*placed.path, "about"), sentence, "name an entry whose `not` has sell or share_for_marketing"
            )
        if placed.claim.says == "passes_through" and not {"retain", "store"} & set(never.not_):
            sentence = f"{placed.claim.about} forbids neither to retain nor to store what passes through"
            yield Finding((*placed.path, "about"), sentence, f"add retain to `not` of {placed.claim.about}")


def _ruled_out(policy: Policy) -> str | None:
    """The promise that rules marketing out, if there is one."""
    return next((f"never.{scope.name}" for scope, _ in scopes(policy, _SALE)), None)


def _no_advertising(policy: Policy) -> str | None:
    claims = (placed.name for placed in placed_claims(policy) if placed.claim.says == "no_advertising")
    return next(claims, None) or _ruled_out(policy)


RULES = (
    Rule("PX-07", ("analytics", "data", "never", "processors"), _shared),
    Rule("PX-08", ("never", "processors", "purposes"), _marketing_processors),
    Rule("PX-08", ("cookies", "never", "purposes", "sections", "storage"), _marketing_cookies),
    Rule("PX-30", ("never", "sections"), _negatives_of_claims),
)
