"""A change is told in the right group with the right weight, and nothing that changes goes untold."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crouter.plan.difference import Change, Difference, compare
from crouter.plan.difference.law import law_changes
from crouter.plan.difference.paragraph import what_changed
from crouter.plan.difference.structure import steps_of
from crouter.plan.digest import policy_digest
from crouter.policy.model import Policy
from crouter.policy.problems import Place, Problem
from crouter.policy.rules import ALL_RULES
from tests.cases.generate.cases import whole_policy

WHOLE = whole_policy()
DATA, PURPOSE, RECIPIENT = "new_data", "new_purpose", "new_recipient"
LONGER, WEAKER = "longer_retention", "weaker_promise"

PICTURE = {"label": "picture", "type": "text", "purposes": ["dashboard"], "data_category": "user.name", "dpv": "Name"}
CRM = {
    "label": "CRM",
    "does": "sending newsletters",
    "purposes": ["service_updates"],
    "receives": ["account.email"],
    "mode": "store",
    "hosts": ["api.crm.example"],
    "policy_covers": "contacts",
    "policy_url": "https://crm.example/privacy",
    "keeps": {"for": "contract", "source": "https://crm.example/dpa", "as_of": WHOLE.processors["stripe"].keeps.as_of},
}
MARKETING = {
    "label": "marketing",
    "basis": "legitimate_interests",
    "data_use": "marketing.advertising",
    "dpv": "Marketing",
}
VISITS = {
    "label": "visits",
    "when": "you visit",
    "subject": "customer",
    "owner": "account",
    "source": "crouter",
    "fields": {"seen_at": {**PICTURE, "label": "time of a visit", "type": "timestamp"}},
    "technical": {
        "id": {"type": "uuid", "key": True, "why": "names the visit"},
        "account_id": {"type": "reference", "to": "account", "why": "joins it"},
    },
}
AD_COOKIE = {
    "purpose": "improvement",
    "category": "analytics",
    "lifetime": "P1Y",
    "http_only": False,
    "same_site": "lax",
}
OWN_COOKIE = {
    "purpose": "authentication",
    "category": "essential",
    "lifetime": "P1D",
    "http_only": True,
    "same_site": "lax",
}
DELETION = "retention.deletion"

EDITS: list[tuple[str, dict[str, Any], str, set[str], set[str]]] = [
    # what is edited, how, the change that tells it, the weights one way and the other way
    (
        "a field",
        {"data.account.fields.picture": PICTURE},
        "customers:added:data.account.fields.picture",
        {DATA, RECIPIENT},
        set(),
    ),
    (
        "a category",
        {"data.visits": VISITS, "retention.account.of": ["account", "api_key", "ledger", "visits"]},
        "customers:added:data.visits",
        {DATA},
        set(),
    ),
    (
        "a purpose of a field",
        {"data.account.fields.name.purposes": ["authentication", "dashboard"]},
        "customers:changed:data.account.fields.name.purposes",
        {PURPOSE},
        set(),
    ),
    ("a purpose", {"purposes.marketing": MARKETING}, "customers:added:purposes.marketing", {PURPOSE}, set()),
    (
        "what a purpose means",
        {"purposes.billing.data_use": "marketing"},
        "customers:changed:purposes.billing.data_use",
        {PURPOSE},
        {PURPOSE},
    ),
    (
        "a narrower purpose",
        {"purposes.proxying.data_use": "essential.service.operations"},
        "customers:changed:purposes.proxying.data_use",
        set(),
        {PURPOSE},
    ),
    (
        "no more consent",
        {"purposes.improvement.basis": "legitimate_interests"},
        "customers:changed:purposes.improvement.basis",
        {WEAKER},
        set(),
    ),
    (
        "a wider kind of data",
        {"data.account.fields.name.data_category": "user"},
        "customers:changed:data.account.fields.name.data_category",
        {DATA},
        set(),
    ),
    (
        "what is no longer sealed",
        {"data.api_key.fields.sealed.type": "text"},
        "customers:changed:data.api_key.fields.sealed.type",
        {WEAKER},
        set(),
    ),
    ("another source", {"data.account.source": "crouter"}, "customers:changed:data.account.source", {DATA}, {DATA}),
    ("about nobody", {"data.usage.subject": "none"}, "customers:changed:data.usage.subject", {WEAKER}, {DATA}),
    ("a longer period", {"retention.usage.keep": "P18M"}, "customers:changed:retention.usage.keep", {LONGER}, set()),
    ("the same period", {"retention.usage.keep": "P1Y"}, "customers:changed:retention.usage.keep", set(), set()),
    ("a period of days", {"retention.usage.keep": "P365D"}, "customers:changed:retention.usage.keep", set(), {LONGER}),
    (
        "as long as it is active",
        {"retention.usage": {"of": ["usage"], "keep": "while_active"}},
        "customers:changed:retention.usage.keep",
        {LONGER},
        set(),
    ),
    (
        "another beginning",
        {"retention.evidence.from": "as_of"},
        "customers:changed:retention.evidence.from",
        {LONGER},
        {LONGER},
    ),
    (
        "a later deletion",
        {f"{DELETION}.within": "P60D"},
        "customers:changed:retention.deletion.within",
        {LONGER},
        set(),
    ),
    ("a shorter grace", {f"{DELETION}.grace": "P1D"}, "customers:changed:retention.deletion.grace", set(), set()),
    (
        "a kind that is not deleted",
        {f"{DELETION}.of": ["account", "api_key", "ledger"]},
        "customers:removed:retention.deletion.of",
        {WEAKER},
        set(),
    ),
    (
        "no exception",
        {f"{DELETION}.exceptions": []},
        "customers:changed:retention.deletion.exceptions",
        set(),
        {LONGER},
    ),
    ("single entries stay", {"data.ledger.fold": None}, "customers:changed:data.ledger.fold", {LONGER}, set()),
    ("a recipient", {"processors.crm": CRM}, "customers:added:processors.crm", {RECIPIENT}, set()),
    (
        "a recipient of more",
        {"processors.stripe.receives": ["account", "ledger.amount_nanousd"]},
        "customers:changed:processors.stripe.receives",
        {RECIPIENT},
        set(),
    ),
    (
        "the same in other words",
        {"processors.stripe.receives": ["ledger.amount_nanousd", "account.email"]},
        "processors:reordered:processors.stripe.receives",
        set(),
        set(),
    ),
    (
        "a recipient for more",
        {"processors.stripe.purposes": ["payment", "billing_notices"]},
        "customers:changed:processors.stripe.purposes",
        {PURPOSE},
        set(),
    ),
    (
        "a recipient that stores",
        {"processors.cloudflare.mode": "store"},
        "customers:changed:processors.cloudflare.mode",
        {WEAKER},
        set(),
    ),
    (
        "a recipient that keeps",
        {"processors.anthropic.keeps.for": "P60D"},
        "customers:changed:processors.anthropic.keeps.for",
        {LONGER},
        set(),
    ),
    (
        "a recipient that does not say",
        {"processors.anthropic.keeps.for": "unstated"},
        "customers:changed:processors.anthropic.keeps.for",
        {LONGER},
        set(),
    ),
    (
        "a host",
        {"processors.stripe.hosts": ["api.stripe.com", "files.stripe.com"]},
        "processors:changed:processors.stripe.hosts",
        set(),
        set(),
    ),
    (
        "a name of a recipient",
        {"processors.stripe.label": "Stripe Inc."},
        "processors:changed:processors.stripe.label",
        set(),
        set(),
    ),
    (
        "another controller",
        {"controller.name": "Somebody"},
        "customers:changed:controller.name",
        {RECIPIENT},
        {RECIPIENT},
    ),
    (
        "another contact",
        {"controller.contact": "privacy@crouter.dev"},
        "customers:changed:controller.contact",
        set(),
        set(),
    ),
    ("a promise", {"never.sale": None}, "customers:removed:never.sale", {WEAKER}, set()),
    ("a verb", {"never.content.not": ["store", "log"]}, "customers:changed:never.content.not", {WEAKER}, set()),
    (
        "what is covered",
        {"never.location.covers": ["city"]},
        "customers:changed:never.location.covers",
        {WEAKER},
        set(),
    ),
    (
        "what it derives from",
        {"never.location.derivable_from": []},
        "customers:changed:never.location.derivable_from",
        {WEAKER},
        set(),
    ),
    (
        "older TLS",
        {"security.https.minimum_tls": "1.3"},
        "customers:changed:security.https.minimum_tls",
        set(),
        {WEAKER},
    ),
    (
        "plain http",
        {"security.https.plain_http": "redirect"},
        "customers:changed:security.https.plain_http",
        {WEAKER},
        set(),
    ),
    ("shorter hsts", {"security.https.hsts": "P1Y"}, "customers:changed:security.https.hsts", {WEAKER}, set()),
    ("no edge", {"security.edge": None}, "customers:removed:security.edge", {WEAKER}, set()),
    (
        "a header",
        {"proxy.drops_request_headers": ["cookie"]},
        "customers:changed:proxy.drops_request_headers",
        {WEAKER},
        set(),
    ),
    ("a right", {"rights.access": None}, "customers:removed:rights.access", {WEAKER}, set()),
    ("a format", {"rights.access.formats": ["json"]}, "customers:changed:rights.access.formats", {WEAKER}, set()),
    ("a later answer", {"requests.deadline": "P1M"}, "customers:changed:requests.deadline", {WEAKER}, {WEAKER}),
    (
        "no e-mail",
        {"policy.changes.announced_by": "website"},
        "customers:changed:policy.changes.announced_by",
        {WEAKER},
        set(),
    ),
    (
        "what is significant",
        {"policy.changes.significant": ["new_data"]},
        "customers:changed:policy.changes.significant",
        {WEAKER},
        set(),
    ),
    (
        "asked agreement",
        {"policy.changes.acceptance": "explicit_consent"},
        "customers:changed:policy.changes.acceptance",
        set(),
        {WEAKER},
    ),
    (
        "no more asking",
        {"consent.modes": {"essential": "always", "analytics": "always"}},
        "cookies:changed:consent.modes.analytics",
        {WEAKER},
        set(),
    ),
    ("a signal", {"consent.honours": []}, "cookies:changed:consent.honours", {WEAKER}, set()),
    ("a cookie that waits", {"cookies.ads": AD_COOKIE}, "cookies:added:cookies.ads", {DATA}, set()),
    ("an essential cookie", {"cookies.own": OWN_COOKIE}, "cookies:added:cookies.own", set(), set()),
    (
        "a longer cookie",
        {"cookies.cc_cookie.lifetime": "P1Y"},
        "cookies:changed:cookies.cc_cookie.lifetime",
        {LONGER},
        set(),
    ),
    (
        "a cookie for scripts",
        {"cookies.__Host-crouter_session.http_only": False},
        "cookies:changed:cookies.__Host-crouter_session.http_only",
        {WEAKER},
        set(),
    ),
    (
        "an event",
        {"analytics.events.scroll": {"label": "scrolling", "properties": ["path"]}},
        "cookies:added:analytics.events.scroll",
        {DATA},
        set(),
    ),
    (
        "a property",
        {"analytics.events.page_view.properties": ["path", "referrer_host", "element"]},
        "cookies:changed:analytics.events.page_view.properties",
        {DATA},
        set(),
    ),
    (
        "what is never sent",
        {"analytics.never_sends": ["IP address"]},
        "cookies:changed:analytics.never_sends",
        {WEAKER},
        set(),
    ),
    (
        "a limit",
        {"proxy.limits.requests_per_minute": 40},
        "code:changed:proxy.limits.requests_per_minute",
        set(),
        set(),
    ),
    ("a log field", {"logging.service.size": "number"}, "code:added:logging.service.size", set(), set()),
    ("a label", {"data.account.label": "your account"}, "customers:changed:data.account.label", set(), set()),
    ("a law", {"policy.profiles": ["gdpr", "uk"]}, "law:changed:policy.profiles", set(), set()),
]

NAMES = [name for name, *_ in EDITS]


def edited_policy(edits: dict[str, Any]) -> Policy:
    """The whole policy with the edits, and without the claims about what they take away."""
    gone = tuple(path for path, value in edits.items() if value is None)
    sections = WHOLE.model_dump(mode="json", by_alias=True)["sections"]
    for section in sections:
        section["claims"] = {name: claim for name, claim in section["claims"].items() if claim["about"] not in gone}
    return whole_policy({**edits, "sections": sections} if gone else edits)


def weights(difference: Difference) -> set[str]:
    return {change.weight for change in difference.changes if change.weight}


@pytest.mark.parametrize(("edits", "told", "forward", "backward"), [edit[1:] for edit in EDITS], ids=NAMES)
def test_an_edit_is_told_and_weighed_both_ways(
    edits: dict[str, Any], told: str, forward: set[str], backward: set[str]
) -> None:
    edited = edited_policy(edits)
    difference, undone = compare(WHOLE, edited), compare(edited, WHOLE)
    assert told in {change.id for change in difference.changes}
    assert weights(difference) == forward
    assert weights(undone) == backward
    assert {change.weight for change in difference.significant} == forward
    assert undone


@pytest.mark.parametrize("edits", [edit[1] for edit in EDITS], ids=NAMES)
def test_every_id_is_given_once(edits: dict[str, Any]) -> None:
    changes = compare(WHOLE, edited_policy(edits)).changes
    assert len({change.id for change in changes}) == len(changes)


def test_there_are_enough_edits() -> None:
    assert len(EDITS) >= 40


# What a change says beside its weight


def one(edits: dict[str, Any], told: str) -> Change:
    return next(change for change in compare(WHOLE, edited_policy(edits)).changes if change.id == told)


def test_the_sentences_that_change_are_told_before_and_after() -> None:
    (said,) = one({"retention.usage.keep": "P18M"}, "customers:changed:retention.usage.keep").said
    assert said.claim == "retain-usage"
    assert "for 12 months" in (said.before or "")
    assert "for 18 months" in (said.after or "")


@pytest.mark.parametrize(
    ("edits", "asks"),
    [
        ({"cookies.ads": AD_COOKIE}, True),
        ({"cookies.own": OWN_COOKIE}, False),
        ({"analytics.events.scroll": {"label": "scrolling", "properties": ["path"]}}, True),
        ({"retention.usage.keep": "P18M"}, False),
    ],
)
def test_consent_is_asked_again_for_more_than_was_agreed_to(edits: dict[str, Any], asks: bool) -> None:
    assert compare(WHOLE, edited_policy(edits)).asks_again is asks


def test_leaving_a_kind_out_of_the_list_does_not_hide_the_change_that_comes_with_it() -> None:
    edits = {"policy.changes.significant": ["new_data"], "retention.usage.keep": "P24M"}
    assert LONGER in {change.weight for change in compare(WHOLE, edited_policy(edits)).significant}


def test_what_the_policy_does_not_call_significant_is_not() -> None:
    lax = edited_policy({"policy.changes.significant": ["new_data"]})
    edited = edited_policy({"policy.changes.significant": ["new_data"], "retention.usage.keep": "P24M"})
    (change,) = [change for change in compare(lax, edited).changes if change.weight]
    assert not change.significant


def test_a_renamed_key_goes_and_comes() -> None:
    name = WHOLE.data["usage"].fields["cache_read_tokens"].model_dump(mode="json", exclude_none=True)
    edits = {"data.usage.fields.cache_read_tokens": None, "data.usage.fields.cached": name}
    told = {change.id for change in compare(WHOLE, edited_policy(edits)).changes}
    assert {"customers:removed:data.usage.fields.cache_read_tokens", "customers:added:data.usage.fields.cached"} <= told


def test_a_renamed_retention_rule_is_no_longer_retention() -> None:
    rule = {"of": ["usage"], "keep": "P12M", "from": "occurred_at", "every": "PT1H", "lag_max": "PT1H"}
    sections = WHOLE.model_dump(mode="json", by_alias=True)["sections"]
    for section in sections:
        for claim in section["claims"].values():
            claim["about"] = claim["about"].replace("retention.usage", "retention.logs")
    edits = {"retention.usage": None, "retention.logs": rule, "sections": sections}
    told = compare(WHOLE, whole_policy(edits)).changes
    assert "longer_retention" not in {change.weight for change in told}


# Sections and claims


def sections() -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = WHOLE.model_dump(mode="json", by_alias=True)["sections"]
    return said


def told_of(edited: list[dict[str, Any]]) -> dict[str, str | None]:
    difference = compare(WHOLE, whole_policy({"sections": edited}))
    return {change.id: change.weight for change in difference.changes}


def test_a_claim_that_goes_is_a_weaker_promise() -> None:
    edited = sections()
    del edited[1]["claims"]["exclude-retention"]
    assert told_of(edited) == {"customers:removed:sections[1].claims.exclude-retention": WEAKER}


def test_a_claim_that_moves_is_not() -> None:
    edited = sections()
    edited[-1]["claims"]["no-office"] = edited[1]["claims"].pop("no-office")
    assert told_of(edited) == {"customers:changed:sections[9].claims.no-office": None}


def test_sections_and_claims_in_another_order_are_not() -> None:
    edited = sections()[::-1]
    edited[0]["title"] = "Whom to ask"
    edited[1]["claims"] = dict(reversed(edited[1]["claims"].items()))
    assert set(told_of(edited).values()) == {None}


def test_a_claim_that_says_another_sentence_is_a_weaker_promise() -> None:
    edited = sections()
    edited[1]["claims"]["exclude-location"]["about"] = "never.sale"
    assert told_of(edited)["customers:changed:sections[1].claims.exclude-location.says"] == WEAKER


def test_a_claim_that_is_enforced_by_less_is_told_for_the_code() -> None:
    edited = sections()
    edited[1]["claims"]["exclude-content"]["enforced_by"] = ["usage_tap"]
    assert told_of(edited) == {"code:changed:sections[1].claims.exclude-content.enforced_by": None}


def test_a_paragraph_for_customers_names_no_place_of_the_policy() -> None:
    edited = whole_policy({"data.usage.label": "usage figures", "proxy.limits.requests_per_minute": 40})
    paragraph = what_changed(compare(WHOLE, edited), "1.0")
    assert "data.usage" not in paragraph
    assert "These claims are worded differently: collect-usage" in paragraph


# The law


def test_a_finding_that_is_new_is_told_and_one_that_is_mended_too() -> None:
    edited = whole_policy({"proxy.limits.requests_per_hour": 10})
    problem = Problem("PR-36", "error", Place("policy.yaml"), _sentence(edited, "PR-36"), "")
    (found,) = law_changes(WHOLE, edited, (problem,))
    (mended,) = law_changes(edited, WHOLE, ())
    assert (found.kind, mended.kind) == ("added", "removed")
    assert "PR-36" in found.summary
    assert not tuple(law_changes(WHOLE, edited, ())), "what loading does not tell, because it is waived, is not new"


def _sentence(policy: Policy, code: str) -> str:
    return next(found.sentence for rule in ALL_RULES if rule.code == code for found in rule.check(policy))


# What holds for any two policies


@settings(deadline=None, max_examples=60)
@given(chosen=st.lists(st.sampled_from(EDITS), max_size=5, unique_by=lambda edit: edit[0]))
def test_any_edits_together_are_told_and_never_raise(chosen: list[tuple[str, dict[str, Any], str, Any, Any]]) -> None:
    edited = edited_policy(dict(_compatible({key: value for edit in chosen for key, value in edit[1].items()})))
    difference = compare(WHOLE, edited)
    assert bool(difference) == (policy_digest(WHOLE) != policy_digest(edited))
    assert bool(compare(edited, WHOLE)) == bool(difference)
    assert not compare(edited, edited)


def _compatible(edits: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The edits without those inside something that another one replaces or takes away."""
    for path, value in edits.items():
        if not any(path.startswith(f"{other}.") for other in edits):
            yield path, value


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif path[0] not in ("language", "sections") and value is not None:
        yield path


DUMPED = WHOLE.model_dump(mode="json", by_alias=True)
LEAVES = list(leaves(DUMPED))


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_every_leaf_that_changes_is_a_step(path: tuple[str, ...]) -> None:
    changed = _with(path, _others(_value(path))[0])
    assert [step.path for step in steps_of(deepcopy(DUMPED), changed)] == [path]


def test_every_leaf_that_changes_is_told() -> None:
    """Of those leaves that have another valid value among the ones tried here."""
    tried = 0
    for path in LEAVES:
        for value in _others(_value(path)):
            try:
                edited = Policy.model_validate_json(json.dumps(_with(path, value)))
            except ValidationError:
                continue
            if not _follows_the_rules(edited):
                continue
            tried += 1
            about = [change.path for change in compare(WHOLE, edited).changes if change.path]
            assert any(place[: len(path)] == path or path[: len(place)] == place for place in about), path
            break
    assert tried > 300


def _follows_the_rules(policy: Policy) -> bool:
    return not any(rule.severity == "error" and any(rule.check(policy)) for rule in ALL_RULES)


def _value(path: tuple[str, ...]) -> Any:
    value: Any = DUMPED
    for key in path:
        value = value[key]
    return value


def _with(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    said = deepcopy(DUMPED)
    part = said
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return said


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, list):
        return [[*value, "another"], value[:-1]] if value else [["another"]]
    known = ("another", "P90D", "2030-01-01", "https://example.org/", "a@example.org", "crouter", "dashboard", "text")
    words = (
        "count",
        "number",
        "store",
        "contract",
        "none",
        "lax",
        "strict",
        "analytics",
        "always",
        "redirect",
        "Other",
    )
    return [item for item in (*known, *words, "user.other", "1.3", "POST", "/other", "website") if item != value]
