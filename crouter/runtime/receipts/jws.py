"""JSON Web Signatures in compact form (RFC 7515) with Ed25519 (RFC 8037), and nothing else of either.

Stricter than a general library has to be: one algorithm, a header of exactly three members, and one spelling for
every text, because base64 as libraries read it lets several texts stand for the same signature. The key is chosen by
its id from those that the reader trusts; a header can neither bring its own nor choose how it is judged.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.json_text import compact, read_object

ALGORITHM: Final = "EdDSA"
CHARACTERS_MAX: Final = 16 * 1024
_FORM: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_MEMBERS: Final = {"alg", "kid", "typ"}


def sign(payload: bytes, key: Ed25519PrivateKey, key_id: str, kind: str) -> str:
    """`payload` in compact form, signed. `kind` becomes `typ`: no other token can be taken for it (RFC 8725)."""
    header = compact({"alg": ALGORITHM, "kid": key_id, "typ": kind})
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(key.sign(signed.encode('ascii')))}"


def verified(text: str, keys: Mapping[str, Ed25519PublicKey], kind: str) -> bytes:
    """The payload that one of `keys`, by id, signed. Raises ReceiptRefusedError."""
    if len(text) > CHARACTERS_MAX:
        raise ReceiptRefusedError(f"it has more than {CHARACTERS_MAX:,} characters")
    match = _FORM.fullmatch(text)
    if match is None:
        raise ReceiptRefusedError("it is not three parts of base64url joined by dots, as RFC 7515 has it")
    head, payload, signature = (_decoded(part) for part in match.groups())
    key = _key(head, keys, kind)
    try:
        key.verify(signature, text.rpartition(".")[0].encode("ascii"))
    except InvalidSignature:
        raise ReceiptRefusedError("the signature does not fit: it was altered, or signed with another key") from None
    return payload


def kind_of_token(text: str) -> str:
    """What a token says that it is, to choose who verifies it; nothing else is believed. Raises ReceiptRefusedError."""
    match = _FORM.fullmatch(text) if len(text) <= CHARACTERS_MAX else None
    return str(read_object(_decoded(match[1]), "its header").get("typ", "")) if match is not None else ""


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        data = b""
    # The unused bits of a last character could differ and would be lost.
    if encoded(data) != text:
        raise ReceiptRefusedError("a part of it is not base64url as RFC 7515 writes it")
    return data


def _key(head: bytes, keys: Mapping[str, Ed25519PublicKey], kind: str) -> Ed25519PublicKey:
    header = read_object(head, "its header")
    if header.get("alg") != ALGORITHM:
        raise ReceiptRefusedError(f"its algorithm is not {ALGORITHM}")
    if header.keys() != _MEMBERS:
        raise ReceiptRefusedError("its header has not exactly the members alg, kid and typ")
    if header["typ"] != kind:
        raise ReceiptRefusedError("it is a token of another kind")
    key_id = header["kid"]
    key = keys.get(key_id) if isinstance(key_id, str) else None
    if key is None:
        raise ReceiptRefusedError("no key of the key set has the id that it names")
    return key
