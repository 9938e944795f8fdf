"""A draft says what the text says, and the report what was not understood."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.generate.drafting.draft import Draft, draft_from
from crouter.generate.drafting.prose import sentences
from crouter.generate.drafting.recognise import read
from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.policy.load import load, load_file
from crouter.policy.model import Policy
from tests.unit.policy.test_load import POLICY

TODAY = date(2026, 11, 23)
PROSE = """# Privacy Policy

*Last updated: March 3, 2026*

We collect your e-mail
address and name. We do **not** store your prompts.

- [Stripe](https://stripe.com) handles payments.
- Requests are answered by Anthropic, e.g. Claude.

Usage logs are kept for 90 days. When you delete your account, your data is removed within two weeks.
Backups are kept for 60 days. We answer requests within 45 days.
We love privacy. Write to privacy@acme.example.
"""


def draft(text: str, name: str = "privacy.md", **answers: str) -> Draft:
    drafted = draft_from(text, name, TODAY, answers)
    assert isinstance(drafted, Draft), drafted
    return drafted


def policy_of(drafted: Draft) -> Policy:
    loaded = load(drafted.text)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def test_sentences_know_their_lines_and_lose_their_marks() -> None:
    found = [(sentence.line, sentence.text) for sentence in sentences(PROSE, is_html=False)]
    assert found[:4] == [
        (3, "Last updated: March 3, 2026"),
        (5, "We collect your e-mail address and name."),
        (6, "We do not store your prompts."),
        (8, "Stripe handles payments."),
    ]
    assert (9, "Requests are answered by Anthropic, e.g. Claude.") in found


def test_html_and_markdown_give_the_same_sentences() -> None:
    html = """<!doctype html><html><head><title>T</title><style>p {}</style></head><body><h1>Privacy</h1>
<p>We collect your e-mail
address &amp; <b>name</b>. We never sell your data.</p><ul><li>Stripe handles payments</li></ul><script>x()</script>"""
    assert [(s.line, s.text) for s in sentences(html, is_html=True)] == [
        (2, "We collect your e-mail address & name."),
        (3, "We never sell your data."),
        (3, "Stripe handles payments"),
    ]


@pytest.mark.parametrize(
    ("text", "part", "value"),
    [
        ("Usage logs are kept for twelve (12) months.", "retention.usage.keep", "P12M"),
        ("We respond to a request within one month.", "requests.deadline", "P1M"),
        ("After you close your account we delete everything in 30 days.", "retention.deletion.within", "P30D"),
        ("We keep it as long as your account exists.", "retention.account", "while_active"),
        ("Questions go to a.b+c@mail.example.org.", "controller.contact", "a.b+c@mail.example.org"),
        ("This policy is in effect from 5 January 2025.", "policy.effective", "2025-01-05"),
        ("Payments are handled by Stripe.", "processors.stripe", "Stripe"),
        ("We don’t sell or rent your personal data.", "never.sale", ""),
        ("We never retain the content of your conversations.", "never.content", ""),
        ("You can ask us to correct inaccurate data.", "rights.rectification", ""),
        ("Everything is sent over HTTPS.", "security.https", ""),
    ],
)
def test_a_sentence_is_bound_to_its_part(text: str, part: str, value: str) -> None:
    (sentence,) = sentences(text, is_html=False)
    assert (part, value) in [(binding.part, binding.value) for binding in read(sentence).bindings]


@pytest.mark.parametrize(
    "text",
    [
        "Backups are kept for 60 days.",
        "We may share it with partners.",
        "We are a small team.",
        "We do not knowingly address children under 13.",
        "Transfers rely on standard contractual clauses.",
        "We use Sentry.",
        "Stripes are our colours.",
    ],
)
def test_what_is_not_understood_stays_unbound(text: str) -> None:
    (sentence,) = sentences(text, is_html=False)
    assert read(sentence).bindings == ()


def test_the_draft_loads_and_says_what_the_text_says() -> None:
    drafted = draft(PROSE, name="privacy.md")
    policy = policy_of(drafted)
    assert policy.controller.contact == "privacy@acme.example"
    assert policy.policy.effective == date(2026, 3, 3)
    assert set(policy.processors) == {"anthropic", "stripe"}
    retention = {name: rule.model_dump(mode="json") for name, rule in policy.retention.items()}
    assert (retention["usage"]["keep"], retention["deletion"]["within"]) == ("P90D", "P2W")
    assert policy.requests.deadline.text == "P45D"
    assert "policy/privacy-policy.md" in render_all(policy, History.empty())


def test_every_sentence_is_in_the_report_and_the_unbound_ones_are_in_the_draft() -> None:
    drafted = draft(PROSE)
    report = drafted.as_json()
    assert len(report["sentences"]) == report["bound"] + report["unbound"] == 11
    unbound = [entry for entry in report["sentences"] if entry["state"] == "unbound"]
    assert [entry["text"] for entry in unbound] == ["Backups are kept for 60 days.", "We love privacy."]
    for entry in unbound:
        assert entry["not_understood"]
        assert f"#   line {entry['line']}: {entry['text']}" in drafted.text.splitlines()


def test_what_the_draft_says_beyond_the_text_is_called_assumed() -> None:
    assert "security.keys" in draft(PROSE).assumed
    assert "processors.stripe" not in draft(PROSE).assumed
    assert "security.keys" not in draft(f"{PROSE}\nAPI keys are stored encrypted.\n").assumed


def test_a_value_that_does_not_fit_is_left_out_and_said() -> None:
    drafted = draft("When you delete your account, your data is removed within 1 hour.\n")
    assert policy_of(drafted).retention["deletion"].model_dump(mode="json")["within"] == "P30D"
    (reading,) = drafted.readings
    assert any("does not fit" in reason for reason in reading.reasons)


def test_what_was_given_holds_whatever_the_text_says() -> None:
    policy = policy_of(draft("We run https://other.example.\n", url="https://acme.example"))
    assert policy.service.url == "https://acme.example"


few = settings(max_examples=12, deadline=None)


@few
@given(st.text(max_size=200), st.sampled_from(["a.md", "a.html", "a.txt", "a.yaml"]))
def test_any_text_gives_a_draft_that_loads_or_problems(text: str, name: str) -> None:
    drafted = draft_from(text, name, TODAY, {})
    if isinstance(drafted, Draft):
        policy_of(drafted)


WORDS = (
    "we",
    "never",
    "store",
    "prompts",
    "Stripe",
    "30 days",
    "delete",
    "account",
    "x@y.example",
    "\u202e",
    "\x1b[2J",
    "#",
    "\n",
    ": {",
    ".",
)


@few
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_words_of_a_policy_in_any_order_give_a_draft_that_loads(text: str) -> None:
    policy_of(draft(text))


def test_a_page_without_a_full_stop_is_read_in_time() -> None:
    policy_of(draft("while until as long as " * 10_000))


# -- fideslang


def manifest() -> str:
    policy = load_file(POLICY).policy
    assert policy is not None
    return render_all(policy, History.empty())["records/fideslang.json"]


def test_our_own_manifest_comes_back_as_a_draft() -> None:
    drafted = draft(manifest(), name="fideslang.json")
    policy = policy_of(drafted)
    assert policy.service.name == "Crouter"
    assert policy.controller.contact == "contact@crouter.dev"
    assert set(policy.processors) == {"stripe", "supabase", "anthropic", "cloudflare", "openpanel"}
    assert {reading.is_bound for reading in drafted.readings} == {True, False}
    assert all(reading.sentence.line > 1 for reading in drafted.readings)


def test_a_manifest_in_yaml_with_empty_values_is_read_and_the_unknown_is_unbound() -> None:
    text = (
        "system:\n  - fides_key: crm\n    name: Some CRM\n    description:\n    system_type: Third Party\n"
        "    privacy_declarations:\n      - name: selling\n        data_use: marketing.advertising\n"
    )
    drafted = draft(text, name="fides.yml")
    assert [(reading.sentence.line, reading.is_bound) for reading in drafted.readings] == [(2, False), (7, False)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("system: &a\n  - *a\n", "PY-11"),
        ("system: !!python/object/apply:os.system [x]\n", "PY-14"),
        ("system: []\nsystem: []\n", "PY-15"),
        ("system: " + "[" * 5000 + "]" * 5000, "PY-21"),
        ("system: [" + "1, " * 30_000 + "]", "PY-22"),
    ],
)
def test_a_manifest_made_to_harm_is_refused_with_a_place(text: str, code: str) -> None:
    problems = draft_from(text, "fides.yaml", TODAY, {})
    assert not isinstance(problems, Draft)
    assert code in {problem.code for problem in problems}


def test_the_report_is_json() -> None:
    assert json.loads(json.dumps(draft(PROSE).as_json()))["unbound"] == 2
