"""What texts and claims say about security and infrastructure is what the policy configures."""

import re
from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.parts.surface import Cookie, StorageKey
from crouter.policy.problems import Path, dotted
from crouter.policy.rules.claims import placed_claims
from crouter.policy.rules.contradictions.kept import columns
from crouter.policy.rules.contradictions.parties import EVERYTHING
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.texts import texts_of

_EDGE = re.compile(
    r"\b(at the edge|edge (network|workers?|nodes?|locations?)|on the edge|CDN|content delivery network)\b", re.I
)
_BUILT = re.compile(
    r"\b(kubernetes|redis|memcached|kafka|elasticsearch|multi[- ]region|replica(s|ted|tion)?|load balancers?|firewalls?"
    r"|WAF|HSMs?|hardware security modules?|intrusion detection|VPN|data cent(er|re)s?|VPC|antivirus|SOC ?2|ISO ?27001"
    r"|two[- ]factor|2FA|multi[- ]factor|MFA|penetration test\w*|bug bounty)\b",
    re.I,
)
_HOSTED = re.compile(
    r"\b(hosted|located|stored|kept|processed|stays?|servers?|remains?)( only| exclusively| entirely)? (with)?in "
    r"(the )?(EU|EEA|European Union|Europe|UK|United Kingdom|US|USA|United States|Switzerland|Germany|France"
    r"|Ireland|Canada)"
    r"\b"
)
_TLS = re.compile(r"\b(?:TLS|SSL)\s*v?(\d(?:\.\d)?)\b", re.I)
_CIPHER = re.compile(
    r"\b(AES[- ]?\d{3}(?:[- ][A-Z]{3})?|ChaCha20(?:-Poly1305)?|RSA[- ]?\d*|3DES|Blowfish|Twofish)\b", re.I
)
_END_TO_END = re.compile(r"\b(end[- ]to[- ]end|zero[- ]knowledge|client[- ]side) ?(encrypt\w*)?", re.I)
_AT_REST = re.compile(
    r"\bencrypt(ed|s|ion)?( \w+){0,3} at rest\b|\bat[- ]rest encryption\b|\bencrypted (database|storage|disks?)\b", re.I
)
_PLAIN = re.compile(r"\bhttp://|\bunencrypted\b|\bplain http\b|\bwithout (https|tls|encryption)\b", re.I)
_ESSENTIAL_ONLY = re.compile(
    r"\b(only|nothing but|solely|just|exclusively) (\w+ )?(essential|necessary|strictly necessary)\b"
    r"|\b(essential|necessary) (cookies )?only\b"
    r"|\bno (other |analytics |tracking |non-essential )?(cookies|tracking|trackers|local storage)\b"
    r"|\bcookie[- ]?(free|less)\b|\bwithout (any )?(cookies|tracking|analytics)\b|\bno analytics\b",
    re.I,
)
_CONSENT = re.compile(
    r"\b(with|after|upon|given|on) (your |their |prior |explicit )*(consent|agreement|permission)\b"
    r"|\bonly if you (agree|consent|opt[- ]in)\b"
    r"|\bopt(ed)?[- ]?in\b|\bif you (agree|consent)\b|\bconsented\b",
    re.I,
)
_REFUSABLE = ("analytics", "marketing", "advertising", "third_party_sharing", "personalize", "improve")


def _infrastructure(policy: Policy) -> Iterator[Finding]:
    for path, text in texts_of(policy):
        if path[0] in ("never", "security", "metrics", "disclosures", "waivers") or path[-1] == "law":
            continue
        if policy.security.edge is None and (match := _EDGE.search(text)):
            sentence = f"the text speaks of {match[0]}, and security.edge is not declared, so that nothing is generated"
            yield Finding(path, sentence, "declare security.edge, or delete the words")
        if match := _BUILT.search(text) or _HOSTED.search(text):
            sentence = f"the text speaks of {match[0]}, which no part of this policy declares or generates"
            yield Finding(path, sentence, "delete the words: nothing here makes them true")


def _edge_mechanism(policy: Policy) -> Iterator[Finding]:
    for placed in placed_claims(policy):
        if policy.security.edge is None and "edge_worker" in placed.claim.enforced_by:
            path = (*placed.path, "enforced_by", placed.claim.enforced_by.index("edge_worker"))
            sentence = "edge_worker enforces this, and security.edge is not declared, so that no Worker is generated"
            yield Finding(path, sentence, "declare security.edge, or name what enforces it")


def _edge_named(policy: Policy) -> Iterator[Finding]:
    """The product at the edge belongs to the processor that runs it."""
    edge = policy.security.edge
    if edge is None or edge.processor not in policy.processors:
        return
    mine = policy.processors[edge.processor].label.lower()
    for name, other in policy.processors.items():
        if name != edge.processor and other.label.lower() in edge.runtime.lower() and mine not in edge.runtime.lower():
            sentence = f"{edge.runtime} is of {other.label}, and {edge.processor} is declared to run it"
            yield Finding(("security", "edge", "processor"), sentence, f"write `processor: {name}`")


def _security(policy: Policy) -> Iterator[Finding]:
    tls, cipher = policy.security.https.minimum_tls, policy.security.keys.encryption
    sealed = all(field.type == "sealed" for category in policy.data.values() for field in category.fields.values())
    for path, text in texts_of(policy):
        if path[0] in ("never", "waivers"):
            continue
        for version in _TLS.findall(text):
            if version not in (tls, tls.split(".")[0]):
                yield _differs(path, f"TLS {version}", f"security.https.minimum_tls is {tls}")
        for named in _CIPHER.findall(text):
            if not _is_cipher(named, cipher):
                yield _differs(path, named, f"security.keys.encryption is {cipher}")
        if match := _END_TO_END.search(text):
            yield _differs(path, match[0].strip(), "the service reads what passes through it")
        if (match := _AT_REST.search(text)) and not sealed:
            yield _differs(path, match[0], "only fields of type sealed are stored encrypted")
        if match := _PLAIN.search(text):
            yield _differs(path, match[0], "all communication is over HTTPS")


def _differs(path: Path, claimed: str, configured: str) -> Finding:
    sentence = f"the text says {claimed.replace('://', '')}, and {configured}"
    return Finding(path, sentence, "delete the words: measures are told from `security`")


def _is_cipher(named: str, cipher: str) -> bool:
    return re.sub(r"[ -]", "", named).lower() in re.sub(r"[ -]", "", cipher).lower()


def _clear_secrets(policy: Policy) -> Iterator[Finding]:
    seals = any(placed.claim.says == "seals_keys" for placed in placed_claims(policy))
    for path, name, thing in columns(policy):
        category, column = name.split(".")
        field = policy.data[category].fields.get(column)
        # The last digits of a key, or its version, are no secret.
        if seals and field is not None and field.type == "text" and "credential" in thing.terms:
            sentence = f"data.{name} holds a secret as text, and the document says that keys are stored encrypted"
            yield Finding((*path, "type"), sentence, "write `type: sealed`")


def _essential_purposes(policy: Policy) -> Iterator[Finding]:
    kept: list[tuple[Path, Cookie | StorageKey]] = [
        *((("cookies", n), c) for n, c in policy.cookies.items()),
        *((("storage", n), k) for n, k in policy.storage.items()),
    ]
    for path, entry in kept:
        purpose = policy.purposes.get(entry.purpose)
        if entry.category == "essential" and purpose is not None:
            refusable = purpose.data_use.split(".")[0] in _REFUSABLE or purpose.basis == "consent"
            if refusable:
                sentence = f"{dotted(path)} is essential, and it serves {entry.purpose}, which people may refuse"
                yield Finding(
                    (*path, "category"), sentence, "write `category: analytics`, or name an essential purpose"
                )


def _storage_without_analytics(policy: Policy) -> Iterator[Finding]:
    if policy.analytics is None:
        for part, entries in (("cookies", policy.cookies), ("storage", policy.storage)):
            for name, entry in entries.items():
                if entry.category == "analytics":
                    sentence = f"{part}.{name} is for analytics, and the policy has none"
                    yield Finding((part, name, "category"), sentence, "declare `analytics`, or delete the entry")


def _essential_only(policy: Policy) -> Iterator[Finding]:
    more = [n for n, c in policy.cookies.items() if c.category != "essential"]
    more += [n for n, k in policy.storage.items() if k.category != "essential"]
    for path, text in texts_of(policy):
        match = _ESSENTIAL_ONLY.search(text) if path[0] not in ("never", "waivers") else None
        if match is None:
            continue
        nothing = re.search(r"no cookies|cookie-?(free|less)|without (any )?cookies", match[0], re.I)
        kept = [*more, *([*policy.cookies] if nothing else [])]
        about_analytics = re.search(r"tracking|trackers|analytics", match[0], re.I) and policy.analytics is not None
        if kept or about_analytics:
            what = kept[0] if kept else "analytics"
            sentence = f"the text says {match[0]}, and {what} is declared"
            yield Finding(path, sentence, "delete the words, or what is more than essential")


def _consent_modes(policy: Policy) -> Iterator[Finding]:
    mode = policy.consent.modes.get("analytics")
    if mode in (None, "opt_in"):
        return
    waiting: list[str] = []
    if policy.analytics is not None and policy.analytics.processor in policy.processors:
        waiting += policy.processors[policy.analytics.processor].purposes
    waiting += [c.purpose for c in policy.cookies.values() if c.category == "analytics"]
    waiting += [k.purpose for k in policy.storage.values() if k.category == "analytics"]
    on_consent = [name for name in waiting if name in policy.purposes and policy.purposes[name].basis == "consent"]
    if on_consent:
        sentence = f"analytics is {mode}, and consent is the legal basis of {on_consent[0]}"
        yield Finding(("consent", "modes", "analytics"), sentence, "write `analytics: opt_in`")
    for path, text in texts_of(policy):
        match = _CONSENT.search(text) if path[0] not in ("never", "waivers") else None
        if match:
            sentence = f"the text says “{match[0]}”, and analytics is {mode}: nothing waits for consent"
            yield Finding(path, sentence, "write `analytics: opt_in` under consent.modes, or delete the words")


RULES = (
    Rule("PX-24", EVERYTHING, _infrastructure),
    Rule("PX-24", ("sections", "security"), _edge_mechanism),
    Rule("PX-24", ("processors", "security"), _edge_named),
    Rule("PX-25", ("cookies", "purposes", "storage"), _essential_purposes),
    Rule("PX-26", ("analytics", "cookies", "storage"), _storage_without_analytics),
    Rule("PX-26", (*EVERYTHING, "analytics", "storage"), _essential_only),
    Rule("PX-27", (*EVERYTHING, "analytics", "storage"), _consent_modes),
    Rule("PX-28", EVERYTHING, _security),
    Rule("PX-29", ("data", "sections"), _clear_secrets),
)
