"""Own words follow the policy: every value in them is bound, in every language."""

from pathlib import Path
from typing import Any

import pytest

from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.plan.document import compose_document
from crouter.plan.formats import day_words, value_words
from crouter.plan.own_words import own_words
from crouter.plan.phrases import Value
from crouter.policy.load import load
from crouter.policy.model import Policy
from crouter.policy.placeholders import Placeholder, StrayBrace, pieces_of, typed_text
from crouter.policy.types import Duration, Locale
from tests.unit.plan.translated import translated

POLICY = Path(__file__).parents[3] / "policy.yaml"
RETAIN = "retain-usage: {says: retains, about: retention.usage, enforced_by: [retention_job]}"


def policy(*edits: tuple[str, str]) -> Policy:
    text = POLICY.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def said(words: str, *edits: tuple[str, str]) -> str:
    worded = RETAIN.replace("}", f', words: {{en: "{words}"}}}}')
    document = compose_document(policy(*edits, (RETAIN, worded)))
    return next(claim.text for claim in document.claims if claim.id == "retain-usage")


def test_a_placeholder_follows_the_policy() -> None:
    words = "Records of {retention.usage.of} go after {retention.usage.keep}. Ask {controller.contact}."
    assert said(words) == "Records of usage data go after 12 months. Ask contact@crouter.dev."
    shorter = ("usage: {of: [usage], keep: P12M", "usage: {of: [usage], keep: P6M")
    assert said(words, shorter) == "Records of usage data go after 6 months. Ask contact@crouter.dev."


def test_every_value_knows_where_it_stands_and_links_where_it_can() -> None:
    sentence = own_words(policy(), "{data.account.email} at {controller.contact}, {processors.stripe.policy_url}", "en")
    values = [segment for segment in sentence.segments if isinstance(segment, Value)]
    assert [value.path for value in values] == [
        "data.account.fields.email",
        "controller.contact",
        "processors.stripe.policy_url",
    ]
    assert [value.link for value in values][1:] == ["mailto:contact@crouter.dev", "https://stripe.com/privacy"]


@pytest.mark.parametrize(
    ("path", "locale", "form", "words"),
    [
        ("retention.usage.keep", "en", "", "12 months"),
        ("retention.usage.keep", "de", "", "12 Monate"),
        ("retention.usage.keep", "de", "dative", "12 Monaten"),
        ("retention.usage.every", "fr", "", "1 heure"),
        ("policy.effective", "de", "", "5. Januar 2025"),
        ("retention.account.keep", "en", "", "as long as your account is active"),
        ("data.account.email.purposes", "en", "", "authentication, billing notices and important service updates"),
        ("never.content.passes_through_to", "fr", "", "Anthropic"),
        (
            "data.usage.fields",
            "en",
            "",
            "model, token counts, web search counts, web fetch counts, further usage counts, service tier "
            "and timestamp",
        ),
        ("processors.stripe.hosts.0", "en", "", "api.stripe.com"),
        ("proxy.body_bytes_max", "en", "", "33554432"),
    ],
)
def test_values_are_written_as_the_language_writes_them(path: str, locale: Locale, form: str, words: str) -> None:
    mark = f":{form}" if form else ""
    sentence = own_words(policy(), f"x {{{path}{mark}}}", locale)
    assert sentence.text == f"X {words}."


def test_compound_periods_and_days_in_every_language() -> None:
    period = Duration.parse("P1Y6MT1H30M")
    assert value_words(policy(), ("x",), period, "de") == "1 Jahr, 6 Monate, 1 Stunde und 30 Minuten"
    assert value_words(policy(), ("x",), period, "fr", "") == "1 an, 6 mois, 1 heure et 30 minutes"
    assert day_words(policy().policy.effective, "fr") == "5 janvier 2025"


def test_braces_can_be_meant() -> None:
    assert list(pieces_of("{{a}} {b.c:dative} }")) == [
        "{",
        "a",
        "}",
        " ",
        Placeholder("b.c", "dative"),
        " ",
        StrayBrace(),
    ]
    assert typed_text("in {b.c} days") == "in \0 days"


def _translated() -> Policy:
    """The real policy with German words for every claim."""
    loaded = load(translated(POLICY.read_text(encoding="utf-8")))
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def test_a_further_language_is_a_document_of_its_own_in_every_format() -> None:
    files: dict[str, Any] = render_all(_translated(), History.empty())
    html = files["policy/privacy-policy.de.html"]
    assert '<html lang="de">' in html
    assert "Datenschutzerklärung" in html
    assert "Gültig ab" in html
    assert "In effect" not in html
    assert 'href="/privacy.de.md"' in html
    for ending in ("md", "txt", "json"):
        assert "Das gilt: 12 Monate." in files[f"policy/privacy-policy.de.{ending}"]
    assert "12 months" in files["policy/privacy-policy.md"]
    assert '"/privacy.de.html"' in files["service/web.py"]
