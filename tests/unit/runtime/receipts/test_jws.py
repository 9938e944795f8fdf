"""The signature: it holds for one text exactly, and nothing in a header chooses how it is judged."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.jws import CHARACTERS_MAX, encoded, sign, verified

KIND = "test+jwt"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
KEYS = {"k": KEY.public_key(), "o": OTHER.public_key()}
PAYLOAD = b'{"iss":"https://crouter.example","n":1}'
TEXT = sign(PAYLOAD, KEY, "k", KIND)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def signed(header: Any, key: Ed25519PrivateKey = KEY, payload: bytes = PAYLOAD) -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    text = f"{encoded(head)}.{encoded(payload)}"
    return f"{text}.{encoded(key.sign(text.encode()))}"


def test_what_was_signed_comes_back_to_the_byte() -> None:
    assert verified(TEXT, KEYS, KIND) == PAYLOAD
    assert verified(sign(b"x" * 999, OTHER, "o", KIND), KEYS, KIND) == b"x" * 999


def test_the_example_of_rfc_8037_is_signed_alike() -> None:
    """Appendix A.4: the signature over the given header and payload."""
    key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
    text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    assert encoded(key.sign(text.encode())) == (
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )


def test_another_library_agrees_in_both_directions() -> None:
    theirs = jwt.decode(TEXT, KEY.public_key(), algorithms=["EdDSA"])
    assert theirs == json.loads(PAYLOAD)
    made = jwt.encode({"n": 2}, KEY, algorithm="EdDSA", headers={"kid": "k", "typ": KIND})
    assert json.loads(verified(made, KEYS, KIND)) == {"n": 2}


def test_every_other_character_at_every_place_is_refused() -> None:
    for place, character in enumerate(TEXT):
        # Its neighbours differ in the last bits, which a lax reader of base64 would drop.
        at = ALPHABET.find(character)
        others = {".", "=", "A", "_", ALPHABET[at - 1], ALPHABET[(at + 1) % 64], ALPHABET[at ^ 15]} - {character}
        for other in others:
            with pytest.raises(ReceiptRefusedError):
                verified(TEXT[:place] + other + TEXT[place + 1 :], KEYS, KIND)


@settings(max_examples=300)
@given(st.integers(0, len(TEXT)), st.sampled_from(["A", "=", ".", " ", "\n", "+", "/", "\u0661", "\0"]))
def test_a_character_added_or_taken_away_is_refused(place: int, added: str) -> None:
    for text in (TEXT[:place] + added + TEXT[place:], TEXT[:place] + TEXT[place + 1 :]):
        if text != TEXT:
            with pytest.raises(ReceiptRefusedError):
                verified(text, KEYS, KIND)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(ReceiptRefusedError):
        verified(text, KEYS, KIND)


HEADER = {"alg": "EdDSA", "kid": "k", "typ": KIND}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({**HEADER, "alg": "none"}, "algorithm"),
        ({**HEADER, "alg": "HS256"}, "algorithm"),
        ({**HEADER, "alg": "eddsa"}, "algorithm"),
        ({**HEADER, "alg": ["EdDSA"]}, "algorithm"),
        ({"kid": "k", "typ": KIND}, "algorithm"),
        ({**HEADER, "crit": ["b64"], "b64": False}, "exactly the members"),
        ({**HEADER, "jwk": {"kty": "OKP"}}, "exactly the members"),
        ({"alg": "EdDSA", "kid": "k"}, "exactly the members"),
        ({**HEADER, "typ": "JWT"}, "another kind"),
        ({**HEADER, "kid": "unknown"}, "no key of the key set"),
        ({**HEADER, "kid": None}, "no key of the key set"),
        ({**HEADER, "kid": ["k"]}, "no key of the key set"),
        ({**HEADER, "kid": "o"}, "does not fit"),
        ([HEADER], "no JSON object"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b'{"alg":"EdDSA","kid":"o","kid":"k","typ":"test+jwt"}', "no JSON"),
        (b"[" * 5000, "no JSON"),
    ],
)
def test_a_header_chooses_nothing(header: Any, words: str) -> None:
    with pytest.raises(ReceiptRefusedError, match=words):
        verified(signed(header), KEYS, KIND)


def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    public = KEY.public_key().public_bytes_raw()
    forged = jwt.encode({"n": 1}, public, algorithm="HS256", headers={"kid": "k", "typ": KIND})
    with pytest.raises(ReceiptRefusedError, match="algorithm"):
        verified(forged, KEYS, KIND)


def test_an_empty_signature_and_a_giant_are_refused() -> None:
    with pytest.raises(ReceiptRefusedError, match="three parts"):
        verified(TEXT.rpartition(".")[0] + ".", KEYS, KIND)
    with pytest.raises(ReceiptRefusedError, match="characters"):
        verified("A" * (CHARACTERS_MAX + 1), KEYS, KIND)
