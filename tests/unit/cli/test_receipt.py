"""`crouter receipt verify` says in words what a receipt says, and its exit status is the judgement."""

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from crouter.runtime.receipts.keys import SigningKeys
from tests.unit.cli.conftest import Command, Outcome
from tests.unit.runtime.receipts.receipt_keys import COST, ISSUER, NAME, claims, receipt, ring

KEYS = SigningKeys(ring(b"a"))


@pytest.fixture
def judge(project: Path, command: Command) -> Any:
    """Judges a receipt by the command, with the keys of `KEYS`."""
    (project / "jwks.json").write_bytes(KEYS.published(ISSUER))

    def judged(text: str, *options: str, keys: str = "jwks.json") -> Outcome:
        (project / "receipt").write_text(text, encoding="utf-8")
        return command("receipt", "verify", "receipt", "--keys", keys, *options)

    return judged


def test_a_genuine_receipt_is_told_in_words(judge: Any) -> None:
    outcome = judge(receipt(KEYS) + "\n")
    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        "genuine   signed by https://crouter.example, and unaltered",
        f"request   {NAME}",
        "when      2026-11-23 12:00:00 UTC",
        "model     claude-sonnet-4-5, service tier standard",
        "reported  input_tokens 1,200, output_tokens 300, cache_creation.ephemeral_5m_input_tokens 0, "
        "cache_creation.ephemeral_1h_input_tokens 40, server_tool_use.web_search_requests 1, "
        "server_tool_use.web_fetch_requests 2, cache_creation_input_tokens 40",
        "further   audio_tokens 0",
        "charged   1,200 input_tokens at 3,000 nanodollars: $0.0036",
        "charged   300 output_tokens at 15,000 nanodollars: $0.0045",
        "charged   40 cache_creation.ephemeral_1h_input_tokens at 6,000 nanodollars: $0.00024",
        "charged   1 server_tool_use.web_search_requests at 10,000,000 nanodollars: $0.01",
        "cost      $0.01834; computed again from the lines above, it is the same",
        "prices    version 2026-11-23",
        "policy    digest d1",
    ]


def test_scripts_are_given_every_claim(judge: Any) -> None:
    outcome = judge(receipt(KEYS), "--json")
    assert json.loads(outcome.out) == {
        "verified": True,
        "cost_agrees": True,
        "recomputed_nanousd": COST,
        "differences": [],
        "claims": claims(),
    }


def test_standard_input_is_read_for_a_hyphen(judge: Any, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    judge("")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(receipt(KEYS).encode())))
    assert command("receipt", "verify", "-", "--keys", "jwks.json").status == 0


def test_a_cost_that_does_not_follow_from_the_rates_is_shouted(judge: Any) -> None:
    outcome = judge(receipt(KEYS, cost_nanousd=COST + 1))
    assert outcome.status == 1
    assert "cost      $0.018340001; THE LINES ABOVE GIVE $0.01834 INSTEAD" in outcome.out
    told = json.loads(judge(receipt(KEYS, cost_nanousd=COST + 1), "--json").out)
    assert (told["verified"], told["cost_agrees"], told["recomputed_nanousd"]) == (True, False, COST)


def test_what_was_charged_otherwise_than_reported_is_noted(judge: Any) -> None:
    lines = [
        {"count": "input_tokens", "quantity": 5000, "nanousd_each": 1},
        {"count": "output_tokens", "quantity": 299, "nanousd_each": 1},
    ]
    outcome = judge(receipt(KEYS, charged=lines, cost_nanousd=5299))
    assert outcome.status == 0
    assert "5,000 input_tokens were charged and 1,200 reported: further samplings of the answer" in outcome.out
    assert "note      299 of 300 output_tokens were charged" in outcome.out


def test_a_receipt_that_says_little_is_told_too(judge: Any) -> None:
    nothing = dict.fromkeys(
        ("charged", "model", "service_tier", "occurred_at", "price_version", "policy_digest", "further_counts")
    )
    outcome = judge(receipt(KEYS, **nothing, usage={}))
    assert outcome.status == 0
    assert "reported  nothing" in outcome.out
    assert "it states no rates to compute it again from" in outcome.out


def forged(algorithm: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "x", "typ": "crouter-receipt+jwt"}).encode())
    return f"{head.decode().rstrip('=')}.{receipt(KEYS).split('.')[1]}.AAAA"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not three parts"),
        ("canary", "not three parts"),
        ("\u00e4.b.c", "not three parts"),
        (forged("none"), "algorithm"),
        (forged("HS256"), "algorithm"),
        (receipt(SigningKeys(ring(b"z"))), "no key of the key set"),
        (receipt(KEYS)[:-3] + "AAA", "the signature does not fit"),
        (receipt(KEYS, iss="https://elsewhere.example"), "issuer"),
    ],
)
def test_what_is_not_genuine_is_refused_with_the_reason(judge: Any, text: str, words: str) -> None:
    outcome = judge(text)
    assert (outcome.status, outcome.out) == (1, "")
    assert "this is no receipt to rely on" in outcome.err
    assert words in outcome.err
    assert "canary" not in outcome.err
    told = judge(text, "--json")
    assert told.status == 1
    assert words in json.loads(told.out)["reason"]


def test_the_issuer_can_be_demanded(judge: Any) -> None:
    assert judge(receipt(KEYS), "--issuer", ISSUER).status == 0
    assert judge(receipt(KEYS), "--issuer", "https://elsewhere.example").status == 1


def test_files_that_cannot_be_read_and_keys_that_are_none_are_sentences(judge: Any, project: Path) -> None:
    assert "cannot be read" in judge(receipt(KEYS), keys="missing.json").err
    (project / "other.json").write_text("[]", encoding="utf-8")
    assert "the key set is no JSON object" in judge(receipt(KEYS), keys="other.json").err
    (project / "large.json").write_bytes(b" " * (1024 * 1024 + 1))
    assert "larger than any" in judge(receipt(KEYS), keys="large.json").err


def test_nothing_in_a_receipt_steers_the_terminal(judge: Any) -> None:
    outcome = judge(receipt(KEYS, model="\x1b[2Jclaude", occurred_at="\x1b[0m"))
    assert outcome.status == 0
    assert "\x1b" not in outcome.out
