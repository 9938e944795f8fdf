"""Key sets: what is published, what is read, and what stays readable after a rotation."""

import json

import jwt
import pytest

from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.keys import SigningKeys, read_key_set
from crouter.runtime.receipts.verify import verify
from tests.unit.runtime.receipts.receipt_keys import ISSUER, receipt, ring

BEFORE, AFTER = SigningKeys(ring(b"a")), SigningKeys(ring(b"b", b"a"))


def test_what_is_published_holds_no_private_part_and_is_read_by_another_library() -> None:
    published = json.loads(AFTER.published(ISSUER))
    assert published["issuer"] == ISSUER
    assert all(key.keys() == {"kty", "crv", "x", "kid", "alg", "use", "key_ops"} for key in published["keys"])
    theirs = jwt.PyJWKSet.from_dict(published)
    signed = receipt(AFTER)
    key = theirs[jwt.get_unverified_header(signed)["kid"]]
    assert jwt.decode(signed, key, algorithms=["EdDSA"], issuer=ISSUER)["iss"] == ISSUER


def test_the_id_of_a_key_is_its_thumbprint() -> None:
    """RFC 8037, appendix A.3."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert set(read_key_set(key_set(x=x, kid=kid)).keys) == {kid}


def test_after_a_rotation_old_receipts_hold_and_new_ones_have_the_new_key() -> None:
    old, new = receipt(BEFORE), receipt(AFTER)
    after = read_key_set(AFTER.published(ISSUER))
    assert verify(old, after).claims == verify(new, after).claims
    with pytest.raises(ReceiptRefusedError, match="no key of the key set"):
        verify(new, read_key_set(BEFORE.published(ISSUER)))


def test_a_key_that_was_taken_out_of_the_ring_vouches_for_nothing() -> None:
    with pytest.raises(ReceiptRefusedError, match="no key of the key set"):
        verify(receipt(BEFORE), read_key_set(SigningKeys(ring(b"b")).published(ISSUER)))


def key_set(**members: str) -> bytes:
    key = {"kty": "OKP", "crv": "Ed25519", **members}
    return json.dumps({"issuer": ISSUER, "keys": [key]}).encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "no list of keys"),
        (b'{"keys": {}}', "no list of keys"),
        (b'{"keys": [], "issuer": 1}', "no list of keys"),
        (b'{"keys": [], "keys": []}', "no JSON"),
        (key_set(), "not 32 bytes"),
        (key_set(x="AAAA"), "not 32 bytes"),
        (key_set(x="A"), "not 32 bytes"),
        (key_set(x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid="mine"), "thumbprint"),
        (key_set(x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), "thumbprint"),
    ],
)
def test_a_key_set_of_another_form_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(ReceiptRefusedError, match=words):
        read_key_set(text)


def test_keys_for_other_uses_are_passed_over() -> None:
    published = json.loads(BEFORE.published(ISSUER))
    others = [{"kty": "RSA", "n": "AQ", "e": "AQAB"}, {**published["keys"][0], "use": "enc"}, "text"]
    assert read_key_set(json.dumps({"keys": others}).encode()).keys == {}
    assert len(read_key_set(json.dumps({"keys": [*others, *published["keys"]]}).encode()).keys) == 1
