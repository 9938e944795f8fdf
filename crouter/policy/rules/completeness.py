"""What a law wants said, and is not. Which of these rules apply depends on the profiles; `none` is always an answer."""

import re
from collections.abc import Iterator, Mapping

from crouter.policy.model import Policy
from crouter.policy.parts.data import LegalBasis
from crouter.policy.problems import Path
from crouter.policy.rules.frame import Check, Finding, Rule
from crouter.policy.types import Duration

UNSAID: Mapping[str, tuple[str, str]] = {
    "PC-01": ("data_protection_officer", "whether there is a data protection officer"),
    "PC-02": ("representative", "whether there is a representative"),
    "PC-03": ("transfers", "whether data goes to third countries, and under which safeguards"),
    "PC-07": ("complaint", "how to complain to a supervisory authority"),
    "PC-09": ("automated_decisions", "whether decisions are made without a person"),
    "PC-10": ("required_data", "what a person has to provide"),
    "PC-11": ("children", "from which age the service may be used"),
    "PC-13": ("joint_controller", "whether somebody else decides too"),
    "PC-16": ("processing_agreements", "whether there are agreements with the processors"),
    "PC-18": ("sensitive_data", "whether sensitive personal information is collected"),
    "PC-20": ("non_discrimination", "that nobody is treated worse for using a right"),
    "PC-21": ("authorized_agent", "how an agent makes a request"),
}
"""The key of `disclosures` that answers each of these rules, and what is open without it."""

RIGHTS: Mapping[int, tuple[str, frozenset[LegalBasis]]] = {
    15: ("access", frozenset()),
    16: ("rectification", frozenset()),
    17: ("erasure", frozenset({"consent", "contract", "vital_interests", "legitimate_interests"})),
    18: ("restriction", frozenset()),
    20: ("portability", frozenset({"consent", "contract"})),
    21: ("objection", frozenset({"public_task", "legitimate_interests"})),
}
"""By article of the GDPR: the right, and the legal bases that bring it; none stands for all of them."""

CCPA_RIGHTS = {15: "know", 16: "correct", 17: "delete"}
"""The rights of the CCPA, by the article of the GDPR that grants the same."""

_PROFILES: Path = ("policy", "profiles")
_MONTH_DAYS, _CCPA_DAYS, _DAY_SECONDS = 31, 45, 86_400
_ICO = re.compile(r"\b(ICO|Information Commission)", re.IGNORECASE)


def _said(policy: Policy, key: str) -> bool:
    return getattr(policy.disclosures, key, None) is not None


def _unsaid(key: str, what: str) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        if not _said(policy, key):
            yield _open(key, what)

    return check


def _open(key: str, what: str) -> Finding:
    hint = f"add under disclosures: `{key}: …`; `none` is an answer"
    return Finding(_PROFILES, f"the policy does not say {what}", hint, at_key=True)


def _storage_periods(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        keeps = processor.keeps.for_
        if not isinstance(keeps, Duration) and (keeps == "unstated" or (keeps != "none" and processor.mode == "store")):
            words = {"unstated": "is unstated", "contract": "is “as long as the contract lasts”"}
            sentence = f"how long {name} keeps what it receives {words.get(keeps, 'is “as long as the law requires”')}"
            yield Finding(
                ("processors", name, "keeps", "for"), sentence, "name the period or the criterion, and its source"
            )


def _rights(policy: Policy) -> Iterator[Finding]:
    granted = {right.article for right in policy.rights.values()}
    bases = {purpose.basis for purpose in policy.purposes.values()}
    for article, (name, by) in RIGHTS.items():
        if article not in granted and (not by or by & bases):
            because = f", which follows from {' and '.join(sorted(by & bases))}" if by else ""
            sentence = f"the right to {name} (Article {article}) is not named{because.replace('_', ' ')}"
            hint = f"add under rights: `{name}: {{label: …, article: {article}}}`"
            yield Finding(("rights",), sentence, hint, at_key=True)


def _rights_of_california(policy: Policy) -> Iterator[Finding]:
    granted = {right.article for right in policy.rights.values()}
    for article, name in CCPA_RIGHTS.items():
        if article not in granted:
            hint = f"add under rights a right with `article: {article}`, which grants the same"
            yield Finding(("rights",), f"the right to {name} is not named", hint, at_key=True)


def _withdrawal(policy: Policy) -> Iterator[Finding]:
    for name, purpose in policy.purposes.items():
        if purpose.basis == "consent" and not _said(policy, "consent_withdrawal"):
            sentence = f"consent is the legal basis of {name}, and how it is withdrawn is not said"
            yield Finding(("purposes", name, "basis"), sentence, "add under disclosures: `consent_withdrawal: …`")
            return


def _interests(policy: Policy) -> Iterator[Finding]:
    for name, purpose in policy.purposes.items():
        if purpose.basis == "legitimate_interests" and not _said(policy, "legitimate_interests"):
            sentence = f"legitimate interests are the legal basis of {name}, and which these are is not said"
            yield Finding(("purposes", name, "basis"), sentence, "add under disclosures: `legitimate_interests: …`")
            return


def _ico(policy: Policy) -> Iterator[Finding]:
    disclosures = policy.disclosures
    said = f"{disclosures.complaint or ''} {disclosures.supervisory_authority or ''}" if disclosures else ""
    if not _ICO.search(said):
        sentence = "the policy does not say how to complain to the Information Commissioner"
        hint = "add under disclosures: `complaint: …`, to us first, then to the ICO"
        yield Finding(_PROFILES, sentence, hint, at_key=True)


def _deadline(days: int) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        deadline = policy.requests.deadline
        # One calendar month is what the law says, whatever its length.
        if deadline.seconds_max > days * _DAY_SECONDS:
            sentence = f"requests are answered within {deadline.text}, and {days} days are the most"
            yield Finding(("requests", "deadline"), sentence, "shorten the deadline")

    return check


def _sold(policy: Policy) -> Iterator[Finding]:
    forbidden = {verb for never in policy.never.values() for verb in never.not_}
    if not ({"sell"} <= forbidden and {"share", "share_for_marketing"} & forbidden) and not _said(policy, "opt_out"):
        sentence = "the policy does not say whether personal information is sold or shared"
        hint = "add an entry to `never` with `not: [sell, share_for_marketing]`, or under disclosures: `opt_out: …`"
        yield Finding(_PROFILES, sentence, hint, at_key=True)


def _categories(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        for column, field in category.fields.items():
            if category.subject == "customer" and field.data_category in ("user", "system"):
                sentence = f"`{field.data_category}` says of data.{name}.{column} nothing that a category needs"
                yield Finding(("data", name, "fields", column, "data_category"), sentence, "name a narrower key")


def _signal(policy: Policy) -> Iterator[Finding]:
    if policy.analytics is not None and "global_privacy_control" not in policy.consent.honours:
        sentence = "analytics does not stop for Global Privacy Control"
        yield Finding(("consent",), sentence, "add to consent.honours: global_privacy_control", at_key=True)


RULES = (
    *(Rule(code, ("disclosures", "policy"), _unsaid(*entry)) for code, entry in UNSAID.items()),
    Rule("PC-04", ("processors",), _storage_periods),
    Rule("PC-05", ("purposes", "rights"), _rights),
    Rule("PC-06", ("disclosures", "purposes"), _withdrawal),
    Rule("PC-08", ("disclosures", "policy"), _ico),
    Rule("PC-12", ("disclosures", "purposes"), _interests),
    Rule("PC-14", ("requests",), _deadline(_MONTH_DAYS)),
    Rule("PC-15", ("requests",), _deadline(_CCPA_DAYS)),
    Rule("PC-17", ("disclosures", "never", "policy"), _sold),
    Rule("PC-19", ("rights",), _rights_of_california),
    Rule("PC-22", ("data",), _categories),
    Rule("PC-23", ("analytics", "consent"), _signal),
)
