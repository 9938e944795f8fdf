"""Tables that agree with others: measures with the contract, mechanisms with claims, sentences with the model."""

from typing import get_args

from crouter.contract.measures import IDENTITY_FIELDS as DECLARED_IDENTITY
from crouter.contract.measures import MEASURED_COUNTS
from crouter.contract.measures import MEASURES as DECLARED_MEASURES
from crouter.policy.codes import CODES
from crouter.policy.hints import meant
from crouter.policy.load import load
from crouter.policy.measures import IDENTITY_FIELDS, MEASURES
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import SentenceKind
from crouter.policy.rules.claims import FITTING
from tests.unit.policy.test_load import POLICY


def test_measures_are_those_of_the_contract() -> None:
    assert tuple(MEASURES) == DECLARED_MEASURES
    assert {name for name, kind in MEASURES.items() if kind == "count"} == set(MEASURED_COUNTS)
    assert tuple(IDENTITY_FIELDS) == DECLARED_IDENTITY


def test_every_kind_of_sentence_has_its_parts() -> None:
    assert FITTING.keys() == set(get_args(SentenceKind))


def test_the_first_policy_names_every_mechanism() -> None:
    policy = load(POLICY.read_text(encoding="utf-8")).policy
    assert policy is not None
    named = {name for section in policy.sections for claim in section.claims.values() for name in claim.enforced_by}
    assert named == MECHANISMS.keys()


def test_codes_are_explained_in_sentences() -> None:
    for code in CODES.values():
        assert code.explanation.endswith(".")
        assert not code.title.endswith(".")


def test_a_hint_names_what_was_meant_or_what_there_is() -> None:
    assert meant("biling", ["billing", "access"]) == "did you mean `billing`?"
    assert meant("zzz", ["billing", "access"]) == "known are: billing, access"
    assert meant("zzz", []) == "none is declared yet"
    assert meant("x" * 100_000, ["billing"]) == "known are: billing"
    assert meant("zzz", [f"name{n}" for n in range(1000)]).endswith(", …")
