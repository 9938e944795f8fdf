"""Whoever a text names is a processor of the policy: known vendors, identity providers, and what looks like one."""

import re
from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.problems import Path
from crouter.policy.rules.frame import Check, Finding, Rule
from crouter.policy.texts import texts_of
from crouter.policy.vendors import vendors_in

EVERYTHING = tuple(name for name, info in Policy.model_fields.items() if info.is_required() and name != "language")
"""The parts whose texts may name somebody: all that have to be there."""

# In `never` a name stands for who gets nothing, in `law` for a law, and the document has a title.
_ELSEWHERE = frozenset({"never", "policy", "disclosures", "waivers"})
_PARTY = re.compile(r"\b(?:via|through|by|using|powered by|hosted (?:on|by|at|with)|sent to|provided by|from|with) "
                    r"((?:[A-Z][\w&.'-]*[\w&])(?: [A-Z][\w&.'-]*[\w&])*)")  # fmt: skip
_SIGN_IN = re.compile(r"^(.*?)[ -]+(?:sign|log)[ -]?(?:in|on)$|^(?:sign|log)[ -]?(?:in|on) with (.*)$", re.IGNORECASE)
_NO_PARTY = re.compile(
    r"^(?:[A-Z0-9.&-]{1,6}|HTTPS?|GDPR|CCPA|Article|Directive|Regulation|Europe(?:an)?|Union|United|States|Kingdom|Web|"
    r"Internet|January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Monday|Sunday|English|German|French|Global|Privacy|Control|Python|PostgreSQL|Workers?)$"
)


def _declared(policy: Policy) -> str:
    """Every word by which the policy names a declared party, or itself."""
    labels = [word for p in policy.processors.values() for word in (p.label, *(v.name for v, _ in vendors_in(p.label)))]
    return " ".join([*labels, policy.service.name, policy.controller.name]).lower()


def _is_identity(policy: Policy, path: Path) -> bool:
    return path[0] == "sources" and policy.sources[str(path[1])].kind == "identity"


def _undeclared(policy: Policy) -> Iterator[tuple[Path, str, str]]:
    """Path, name and kind of every vendor of the table that a text names and no processor is."""
    declared = _declared(policy)
    known = {vendor.name for p in policy.processors.values() for vendor, _ in vendors_in(p.label)}
    for path, text in texts_of(policy):
        if path[0] not in _ELSEWHERE and path[-1] != "law":
            for vendor, words in vendors_in(text):
                if vendor.name not in known and words.lower() not in declared:
                    yield path, words, vendor.kind


def _finder(is_mail: bool) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        for path, words, kind in _undeclared(policy):
            if not _is_identity(policy, path) and (kind == "mail") == is_mail:
                sentence = f"the text names {words}, which is no processor of this policy"
                yield Finding(path, sentence, f"declare {words} under processors, or delete it from the text")

    return check


def _identity_providers(policy: Policy) -> Iterator[Finding]:
    declared = _declared(policy)
    vendors = {path[1]: words for path, words, _ in _undeclared(policy) if path[0] == "sources"}
    for name, source in policy.sources.items():
        match = _SIGN_IN.match(source.label)
        named = vendors.get(name) or ((match[1] or match[2] or "").strip() if match else "")
        is_name = named[:1].isupper() and named.lower() not in declared
        if source.kind == "identity" and is_name:
            sentence = f"people sign in through {named}, which is no processor of this policy"
            hint = f"declare {named} under processors, or waive PX-21 here with the reason"
            yield Finding(("sources", name, "label"), sentence, hint)


def _possible_parties(policy: Policy) -> Iterator[Finding]:
    declared = _declared(policy)
    for path, text in texts_of(policy):
        if path[0] in _ELSEWHERE | {"sources", "sections", "security"} or path[-1] in ("law", "office"):
            continue
        for name in _PARTY.findall(text):
            known = name.lower() in declared or any(_NO_PARTY.match(word) for word in name.split())
            if not known and not vendors_in(name):
                sentence = f"the text seems to name {name}, which is no processor of this policy"
                yield Finding(path, sentence, f"declare {name} under processors, or say it without the name")


def _mail_without_address(policy: Policy) -> Iterator[Finding]:
    """A processor that sends mail has to receive the address that it sends to."""
    for name, processor in policy.processors.items():
        sends = any(vendor.kind == "mail" for vendor, _ in vendors_in(processor.label))
        sends = sends or bool(
            re.search(r"\b(send\w*|deliver\w*) (of )?(\w+ ){0,3}e-?mails?\b", processor.does, re.IGNORECASE)
        )
        received = {part for path in processor.receives for part in (path, path.partition(".")[0])}
        has_address = any(
            field.type == "email" and ({category, f"{category}.{column}"} & set(processor.receives))
            for category, data in policy.data.items()
            for column, field in data.fields.items()
        )
        if sends and not has_address and received:
            sentence = f"{name} sends e-mail and receives no e-mail address"
            yield Finding(("processors", name, "receives"), sentence, "add the field with the address to `receives`")


RULES = (
    Rule("PX-20", EVERYTHING, _finder(False)),
    Rule("PX-23", EVERYTHING, _finder(True)),
    Rule("PX-23", ("data", "processors"), _mail_without_address),
)
ADVICE = (
    Rule("PX-21", EVERYTHING, _identity_providers),
    Rule("PX-22", EVERYTHING, _possible_parties),
)
