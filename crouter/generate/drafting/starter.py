"""Writes a first policy.yaml, commented for somebody who has never seen one. What it says loads as it is."""

from dataclasses import dataclass
from datetime import timedelta

from crouter.generate.drafting.answers import RIGHTS, Answers
from crouter.generate.drafting.vendors import Role, Vendor
from crouter.generate.templates import Templates
from crouter.policy.types import Duration

REVIEW_AFTER = timedelta(days=180)
"""When a promise that a person keeps is looked at again."""


@dataclass(frozen=True, slots=True)
class PartyView:
    """A processor, ready to be written."""

    name: str
    claim: str
    label: str
    does: str
    purpose: str
    receives: tuple[str, ...]
    mode: str
    hosts: tuple[str, ...]
    covers: str
    policy_url: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class RightView:
    """A right, ready to be written."""

    name: str
    label: str
    article: int
    is_access: bool
    is_erasure: bool
    is_rectification: bool


@dataclass(frozen=True, slots=True)
class StarterView:
    """Everything that the template writes."""

    answers: Answers
    day: str
    review: str
    upstream: str
    parties: tuple[PartyView, ...]
    rights: tuple[RightView, ...]
    takes_payments: bool
    has_database: bool
    has_mail: bool
    edge: str
    has_edge: bool
    analytics: str
    has_analytics: bool
    grace: str
    lag: str


# For each role: what it does, the purpose, what it receives, the mode, what its policy covers, what enforces it.
_ROLES: dict[Role, tuple[str, str, tuple[str, ...], str, str, str]] = {
    "upstream": ("answering API requests", "proxying", ("content",), "transit", "request data", "header_filter"),
    "payment": (
        "payment processing",
        "payment",
        ("account.email", "ledger.amount_nanousd"),
        "store",
        "payment data",
        "",
    ),
    "database": (
        "storing account data in its database",
        "storage",
        ("account", "usage", "api_key", "ledger", "credit_lease"),
        "store",
        "account data",
        "row_level_security",
    ),
    "edge": ("request routing", "routing", ("content",), "transit", "traffic that passes through its network", ""),
    "analytics": (
        "measuring page views on our web pages, for improving the service",
        "improvement",
        ("analytics",),
        "store",
        "analytics data",
        "",
    ),
    "mail": ("sending service updates by e-mail", "service_updates", ("account.email",), "store", "e-mail", ""),
}


def starter_text(answers: Answers, templates: Templates) -> str:
    """The text of policy.yaml. The answers have to fit (`unfit` is empty)."""
    return templates.render("drafting/policy.yaml.jinja", _view(answers))


def placed(vendors: tuple[Vendor, ...]) -> tuple[Vendor, ...]:
    """The vendors that a draft can declare: one upstream, one edge and one for analytics, any of the others."""
    kept: list[Vendor] = []
    for vendor in vendors:
        alone = vendor.role in ("upstream", "edge", "analytics")
        if vendor.role != "named" and not (alone and any(other.role == vendor.role for other in kept)):
            kept.append(vendor)
    return tuple(kept)


def _view(answers: Answers) -> StarterView:
    others = [vendor for vendor in placed(answers.vendors) if vendor.role != "upstream"]
    parties = [_party(vendor, answers) for vendor in (answers.upstream, *others)]
    named = {vendor.role: vendor.name for vendor in others}
    within = Duration.parse(answers.deletion_within)
    is_long = within.seconds_min >= 10 * 86_400
    return StarterView(
        answers=answers,
        day=answers.effective.isoformat(),
        review=(answers.effective + REVIEW_AFTER).isoformat(),
        upstream=answers.upstream.name,
        parties=tuple(parties),
        rights=tuple(
            RightView(name, *RIGHTS[name], name == "access", name == "erasure", name == "rectification")
            for name in answers.rights
        ),
        takes_payments="payment" in named,
        has_database="database" in named,
        has_mail="mail" in named,
        edge=named.get("edge", ""),
        has_edge="edge" in named,
        analytics=named.get("analytics", ""),
        has_analytics="analytics" in named,
        grace="P7D" if is_long else "PT6H",
        lag="P1D" if is_long else "PT1H",
    )


def _party(vendor: Vendor, answers: Answers) -> PartyView:
    does, purpose, receives, mode, covers, mechanism = _ROLES[vendor.role]
    # The edge answers at the service's own host.
    hosts = vendor.hosts or (answers.url.removeprefix("https://").partition("/")[0].partition(":")[0],)
    enforced = "edge_worker" if vendor.role == "edge" else ", ".join(filter(None, ("egress_guard", mechanism)))
    return PartyView(
        name=vendor.name,
        claim=f"processor-{vendor.name.replace('_', '-')}",
        label=vendor.label,
        does=does,
        purpose=purpose,
        receives=receives,
        mode=mode,
        hosts=hosts,
        covers=covers,
        policy_url=vendor.policy_url,
        mechanism=enforced,
    )
