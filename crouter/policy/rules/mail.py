"""Mails: each is one that the library has sentences for, says nothing about a person beside its values, and goes out
for a purpose that the address may be read for.
"""

from collections.abc import Iterator

from crouter.policy.addresses import address_of
from crouter.policy.hints import listed, meant
from crouter.policy.mails import MAILS
from crouter.policy.measures import IDENTITY_FIELDS
from crouter.policy.model import Policy
from crouter.policy.rules.contradictions.sharing import serves_marketing
from crouter.policy.rules.frame import Finding, Rule

OUTBOX = "outbox"


def _unknown(policy: Policy) -> Iterator[Finding]:
    for name, template in policy.mail.items():
        known = MAILS.get(name)
        if known is None:
            sentence = f"the library has no sentences for a mail `{name}`"
            yield Finding(("mail", name), sentence, meant(name, MAILS), at_key=True)
        elif template.values != known:
            told = ", ".join(f"{value}: {kind}" for value, kind in known.items())
            sentence = f"the sentences of mail.{name} are written for other values"
            yield Finding(("mail", name), sentence, f"write `values: {{{told}}}`", at_key=True)


def _missing(policy: Policy) -> Iterator[Finding]:
    missing = [name for name in MAILS if name not in policy.mail]
    if policy.mail and missing:
        sentence = f"the library sends {listed(missing)}, and what is not declared cannot be sent"
        yield Finding(("mail",), sentence, "declare every mail, or none at all", at_key=True)


def _values(policy: Policy) -> Iterator[Finding]:
    about_a_person = set(IDENTITY_FIELDS) | {
        field
        for category in policy.data.values()
        for field, setting in category.fields.items()
        if setting.type == "email" or _kind(policy, setting.source or category.source) == "identity"
    }
    for name, template in policy.mail.items():
        for value in template.values:
            if value in about_a_person:
                sentence = f"a mail would say `{value}`, which is what a sign-in tells about a person"
                yield Finding(("mail", name, "values", value), sentence, "take it out: a mail needs an address only")


def _kind(policy: Policy, name: str) -> str:
    """The kind of a source; empty for one that does not exist, which another rule tells."""
    source = policy.sources.get(name)
    return source.kind if source is not None else ""


def _purposes(policy: Policy) -> Iterator[Finding]:
    found = address_of(policy)
    for name, template in policy.mail.items():
        purpose = policy.purposes.get(template.purpose)
        path = ("mail", name, "purpose")
        if purpose is None:
            yield Finding(path, f"there is no purpose `{template.purpose}`", meant(template.purpose, policy.purposes))
            continue
        if serves_marketing(purpose):
            sentence = f"mail.{name} serves {template.purpose}, which is marketing: the library sends no such mail"
            yield Finding(path, sentence, "name the purpose that the mail really has")
        elif found is not None:
            record, field = found
            allowed = policy.data[record].fields[field].purposes
            if template.purpose not in allowed:
                sentence = f"{record}.{field} may not be read for {template.purpose}, so this mail could never be sent"
                yield Finding(path, sentence, f"name one of {listed(allowed)}, or add the purpose to {record}.{field}")


def _needs(policy: Policy) -> Iterator[Finding]:
    if not policy.mail:
        return
    if address_of(policy) is None:
        sentence = "there are mails, and no data category of a customer has a field of type email"
        yield Finding(("mail",), sentence, "declare the address that mails go to, or delete `mail`", at_key=True)
    if OUTBOX not in policy.data:
        sentence = f"there are mails, and no data category `{OUTBOX}` in which they wait"
        yield Finding(("mail",), sentence, f"declare data.{OUTBOX}, or delete `mail`", at_key=True)


RULES = (
    Rule("PR-80", ("mail",), _unknown),
    Rule("PR-81", ("mail",), _missing),
    Rule("PR-82", ("data", "mail", "purposes"), _purposes),
    Rule("PR-83", ("data", "mail", "sources"), _values),
    Rule("PR-84", ("data", "mail"), _needs),
)
