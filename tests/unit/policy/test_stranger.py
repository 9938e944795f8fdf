"""Edits of the real policy by a stranger: what contradicts is caught where it stands, the rest passes in silence."""

from datetime import date
from pathlib import Path

import pytest

from crouter.plan.wording import SENTENCE_RULES
from crouter.policy.lint import lint
from crouter.policy.problems import Problem

POLICY = (Path(__file__).parents[3] / "policy.yaml").read_text(encoding="utf-8")
TODAY = date(2026, 11, 23)

_NAME = "      name: {label: name,"
_TOKENS = "      input_tokens: {label: token counts,"
_AMOUNT = "    fields:\n      amount_nanousd:"
_DESCRIBED = "description: an Anthropic-compatible API for Claude models with a prepaid balance"
_LOG = "duration_ms: number, error: word, count: number}"


def findings(text: str) -> dict[tuple[str, str], Problem]:
    """What `crouter lint` says, by code and sentence."""
    return {(one.code, one.sentence): one for one in lint(text, "policy.yaml", TODAY, (), SENTENCE_RULES).problems}


UNTOUCHED = findings(POLICY)


def edited(old: str, new: str) -> str:
    assert POLICY.count(old) >= 1, f"the policy has changed, and this edit no longer fits: {old}"
    return POLICY.replace(old, new, 1)


def column(before: str, name: str, label: str, category: str = "user", dpv: str = "PersonalData") -> tuple[str, str]:
    told = f"label: {label}, type: text, purposes: [billing], data_category: {category}, dpv: {dpv}"
    if before == _AMOUNT:
        return before, f"    fields:\n      {name}: {{{told}}}\n      amount_nanousd:"
    return before, f"      {name}: {{{told}}}\n{before}"


def description(words: str) -> tuple[str, str]:
    return _DESCRIBED, f"description: {words}"


CONTRADICTIONS: dict[str, tuple[str, tuple[str, str]]] = {
    "an address of the network": ("PX-03", column(_NAME, "last_ip", "IP address of your last sign-in")),
    "a time zone": ("PX-03", column(_NAME, "utc_offset", "UTC offset")),
    "a home town": ("PX-02", column(_NAME, "home_town", "home town")),
    "where somebody is, in plain words": ("PX-01", column(_NAME, "position", "where you are")),
    "the next airport": ("PX-02", column(_NAME, "airport", "nearest airport")),
    "a wireless network": ("PX-03", column(_NAME, "network", "Wi-Fi network name")),
    "a preview": ("PX-02", column(_TOKENS, "preview", "first words of the prompt")),
    "a summary": ("PX-01", column(_TOKENS, "summary", "conversation summary")),
    "an embedding": ("PX-02", column(_TOKENS, "embedding", "embedding of the request")),
    "names of tools": ("PX-02", column(_TOKENS, "tools", "names of tools you call")),
    "what was searched for": ("PX-02", column(_TOKENS, "search_query", "web search queries")),
    "digits of a card": ("PX-01", column(_AMOUNT, "card_last_four", "last four digits of the card")),
    "a security code": ("PX-02", column(_AMOUNT, "cvc", "CVC")),
    "a country in a log": ("PX-04", (_LOG, _LOG.replace("}", ", country: word}"))),
    "an address in a log": ("PX-05", (_LOG, _LOG.replace("}", ", client_ip: word}"))),
    "an account in a log": ("PX-33", (_LOG, _LOG.replace("}", ", account_id: word}"))),
    "a key in a metric": ("PX-33", ("labels: [route, status]", "labels: [route, status, api_key_id]")),
    "a country in a cookie": (
        "PX-04",
        (
            "  cc_cookie:",
            "  geo_country: {purpose: authentication, category: essential, lifetime: P1D, http_only: true, "
            "same_site: lax}\n  cc_cookie:",
        ),
    ),
    "a processor that stores prompts": (
        "PX-04",
        ("does: measuring page views", "does: storing prompts and measuring page views"),
    ),
    "a processor that locates people": (
        "PX-04",
        ("does: measuring page views", "does: locating visitors and measuring page views"),
    ),
    "a store that only passes on": (
        "PX-09",
        ('mode: store\n    hosts: ["*.supabase', 'mode: transit\n    hosts: ["*.supabase'),
    ),
    "a table that nobody stores": (
        "PX-34",
        ("receives: [account, usage, api_key, ledger", "receives: [account, usage, api_key"),
    ),
    "an address for who answers requests": (
        "PX-17",
        (
            "receives: [content]\n    mode: transit\n    hosts: [api.anthropic",
            "receives: [content, account.email]\n    mode: transit\n    hosts: [api.anthropic",
        ),
    ),
    "events for somebody who takes an address": ("PX-05", ("never_sends: [IP address,", "never_sends: [")),
    "cookies that leave": ("PX-32", ("origin, referer, from, cookie,", "origin, referer, from,")),
    "headers of the edge that leave": ("PX-06", ("cf-*, cdn-loop", "cdn-loop")),
    "advertising": ("PX-08", ("basis: consent, data_use: analytics.reporting", "basis: consent, data_use: marketing")),
    "analytics that wait for nothing": ("PX-27", ("analytics: opt_in", "analytics: always")),
    "mail through a stranger": ("PX-23", ("label: billing notices,", "label: billing notices sent through Postmark,")),
    "a stranger's infrastructure": ("PX-20", description("an API that runs on AWS")),
    "a stranger's host": ("PX-19", ("hosts: [api.stripe.com]", "hosts: [api.stripe.com, www.google-analytics.com]")),
    "a place of hosting": ("PX-24", description("an API hosted in the European Union")),
    "another cipher": ("PX-28", description("an API that encrypts with AES-128")),
    "no cookies": ("PX-26", description("an API without cookies")),
    "a promise in passing": ("PX-30", description("an API that never shares data")),
    "an exception in general words": (
        "PX-13",
        ('law: "Directive 2006/112/EC, Article 369k (VAT records)"', "law: applicable law"),
    ),
    "two periods": ("PX-11", ("label: usage data\n", "label: usage data (kept for 24 months)\n")),
}

CONSISTENT: dict[str, tuple[str, str]] = {
    "a phone number": (
        _NAME,
        "      phone: {label: phone number, type: text, purposes: [authentication], "
        f"data_category: user.contact.phone_number, dpv: TelephoneNumber}}\n{_NAME}",
    ),
    "six months": ("keep: P12M, from: occurred_at", "keep: P6M, from: occurred_at"),
    "ninety days": ("keep: P12M, from: occurred_at", "keep: P90D, from: occurred_at"),
    "a quicker deletion": ("within: P30D\n    grace: P7D", "within: P14D\n    grace: P3D"),
    "a newer TLS": ('minimum_tls: "1.2"', 'minimum_tls: "1.3"'),
    "a redirect": ("plain_http: refuse", "plain_http: redirect"),
    "an office": ("office: none #", "office: 1 Main Street, Dublin #"),
    "other limits": ("requests_per_minute: 50", "requests_per_minute: 100"),
    "a shorter session": ("category: essential, lifetime: P14D", "category: essential, lifetime: P7D"),
    "a model in the log": (_LOG, _LOG.replace("}", ", model: word}")),
    "another address for questions": ("contact: contact@crouter.dev", "contact: privacy@crouter.dev"),
    "a shorter deadline": ("channel: contact, deadline: P30D", "channel: contact, deadline: P21D"),
    "a name that is also a word": ("service:\n  name: Crouter", "service:\n  name: Router of May"),
    "other words": description("a proxy for Claude models, paid in advance, by people who love the sea"),
    "analytics of our own": ("hosts: [api.openpanel.dev]", "hosts: [stats.crouter.dev]"),
    "one event more": (
        "    interaction: {label: interactions",
        "    sign_up: {label: sign-ups, properties: [path]}\n    interaction: {label: interactions",
    ),
    "one metric more": (
        "metrics:\n",
        "metrics:\n  crouter_retries_total: {counts: repeated attempts, labels: [status]}\n",
    ),
    "a shorter exception": ("keep: P10Y", "keep: P6Y"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_is_found_at_the_line_that_was_edited(name: str) -> None:
    code, (old, new) = CONTRADICTIONS[name]
    text = edited(old, new)
    found = [one for key, one in findings(text).items() if key not in UNTOUCHED and one.code == code]
    assert found, f"nothing of {code}"
    first = POLICY[: POLICY.index(old)].count("\n") + 1
    last = first + max(old.count("\n"), new.count("\n"))
    lines = {one.place.line for one in found}
    assert any(first <= line <= last for line in lines) or code in ("PX-05", "PX-06", "PX-08", "PX-32"), lines


@pytest.mark.parametrize("name", CONSISTENT)
def test_what_is_consistent_passes_without_a_word(name: str) -> None:
    new = {key: str(one) for key, one in findings(edited(*CONSISTENT[name])).items() if key not in UNTOUCHED}
    assert {key: text for key, text in new.items() if key[0] != "PR-18"} == {}
