"""The document follows the policy: its sections, claims, values and dates."""

from pathlib import Path

import pytest

from crouter.plan.document import Document, compose_document
from crouter.plan.phrases import Value
from crouter.policy.load import load
from crouter.policy.model import Policy

_POLICY = Path(__file__).parents[3] / "policy.yaml"


@pytest.fixture(scope="module")
def policy() -> Policy:
    loaded = load(_POLICY.read_text(encoding="utf-8"))
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@pytest.fixture(scope="module")
def document(policy: Policy) -> Document:
    return compose_document(policy)


def test_claims_carry_what_the_policy_says_of_them(policy: Policy, document: Document) -> None:
    said = [(claim.id, claim.says, claim.about, claim.enforced_by) for claim in document.claims]
    assert said == [
        (name, claim.says, claim.about, claim.enforced_by)
        for section in policy.sections
        for name, claim in section.claims.items()
    ]


def test_sections_follow_the_order_of_the_policy(policy: Policy, document: Document) -> None:
    turned = compose_document(policy.model_copy(update={"sections": policy.sections[::-1]}))
    assert [section.title for section in turned.sections] == [section.title for section in document.sections][::-1]
    assert [section.number for section in turned.sections] == list(range(1, len(policy.sections) + 1))


def test_the_date_is_in_words(document: Document) -> None:
    assert document.effective_words == "January 5, 2025"


def test_composing_twice_gives_the_same(policy: Policy, document: Document) -> None:
    assert compose_document(policy) == document


def test_links_are_https_or_mailto(document: Document) -> None:
    links = [value.link for value in document.values() if value.link is not None]
    assert links
    assert [link for link in links if not link.startswith(("https://", "mailto:"))] == []


def test_every_claim_is_composed_from_a_value(document: Document) -> None:
    without = [
        claim.id
        for claim in document.claims
        if not any(isinstance(segment, Value) for sentence in claim.sentences for segment in sentence.segments)
    ]
    assert without == []
