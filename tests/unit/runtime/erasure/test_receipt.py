"""The receipt of a deletion: genuine, unaltered, and of no other kind."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crouter.contract.deployment import Deployment
from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.runtime.environment import KeyRing, VersionedKey
from crouter.runtime.erasure.receipt import KIND, deletion_claims, signed_receipt, verify_deletion
from crouter.runtime.erasure.records import DeletionRecord, ErasureStep
from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.json_text import compact
from crouter.runtime.receipts.jws import kind_of_token
from crouter.runtime.receipts.keys import KeySet, SigningKeys, read_key_set
from crouter.runtime.secret import Secret

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = SigningKeys(KeyRing((VersionedKey(1, Secret(b"r" * 32)),)))
DONE = DeletionRecord(
    id=uuid.uuid4(),
    state="done",
    asked_at=NOW,
    due_at=NOW + timedelta(days=30),
    credit="no_credit",
    erased_at=NOW + timedelta(days=7),
    kept_until=NOW + timedelta(days=3653),
    ended_at=NOW + timedelta(days=8),
    steps=(ErasureStep("supabase", "done", 1, None, NOW, NOW + timedelta(days=8)),),
)


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    policy = load_file(Path(__file__).parents[4] / "policy.yaml").policy
    assert policy is not None
    return make_plan(policy).deployment


def key_set(issuer: str) -> KeySet:
    return read_key_set(KEYS.published(issuer))


def test_a_receipt_is_verified_and_says_what_was_done(deployment: Deployment) -> None:
    url = deployment.identity.url
    receipt = signed_receipt(deployment, DONE, KEYS)
    claims = verify_deletion(receipt, key_set(url)).claims
    assert claims["processors"] == [{"name": "supabase", "state": "done", "at": "2026-12-01T12:00:00+00:00"}]
    assert "account" in claims["erased"]
    assert claims["kept_until"].startswith("2036-11-23")
    assert kind_of_token(receipt) == KIND
    assert receipt == signed_receipt(deployment, DONE, KEYS), "the same whenever it is asked for"


def test_nothing_is_said_to_be_kept_where_nothing_is(deployment: Deployment) -> None:
    assert not {"kept", "kept_until"} & deletion_claims(deployment, replace(DONE, kept_until=None)).keys()


def test_an_altered_or_foreign_receipt_is_refused(deployment: Deployment) -> None:
    url = deployment.identity.url
    receipt = signed_receipt(deployment, DONE, KEYS)
    head, _, signature = receipt.split(".")
    other = signed_receipt(deployment, replace(DONE, id=uuid.uuid4()), KEYS).split(".")[1]
    with pytest.raises(ReceiptRefusedError, match="signature"):
        verify_deletion(f"{head}.{other}.{signature}", key_set(url))
    with pytest.raises(ReceiptRefusedError, match="issuer"):
        verify_deletion(receipt, key_set("https://other.example"))
    with pytest.raises(ReceiptRefusedError, match="another kind"):
        verify_deletion(KEYS.sign(compact(deletion_claims(deployment, DONE)), "crouter-receipt+jwt"), key_set(url))
    with pytest.raises(ReceiptRefusedError, match="form"):
        verify_deletion(KEYS.sign(compact({"iss": url}), KIND), key_set(url))
