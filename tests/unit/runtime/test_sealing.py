import uuid
from dataclasses import replace

import pytest

from crouter.runtime.environment import KeyRing, VersionedKey
from crouter.runtime.sealing import (
    KeyedHasher,
    Place,
    Sealer,
    SealError,
    UnsupportedMeasureError,
    require_measures,
)
from crouter.runtime.secret import Secret
from tests.unit.runtime.declarations import DEPLOYMENT

OLD, NEW = VersionedKey(1, Secret(b"a" * 32)), VersionedKey(2, Secret(b"b" * 32))
PLACE = Place("api_key", "sealed", uuid.UUID(int=1))


@pytest.mark.claim("security-keys", by="sealed_keys")
def test_what_was_sealed_opens_with_every_ring_that_holds_its_key() -> None:
    sealed = Sealer(KeyRing((OLD,))).seal(b"plain", PLACE)
    both = Sealer(KeyRing((NEW, OLD)))
    assert both.open(sealed, PLACE) == b"plain"
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal(b"plain", PLACE))


@pytest.mark.claim("security-keys", by="sealed_keys")
def test_the_same_value_is_never_sealed_twice_alike_and_never_visible() -> None:
    sealer = Sealer(KeyRing((OLD,)))
    first, second = sealer.seal(b"plain text", PLACE), sealer.seal(b"plain text", PLACE)
    assert first != second
    assert b"plain" not in first


@pytest.mark.parametrize(
    "place",
    [
        replace(PLACE, row=uuid.UUID(int=2)),
        replace(PLACE, record="account"),
        replace(PLACE, field="lookup"),
    ],
)
def test_a_value_that_was_moved_does_not_open(place: Place) -> None:
    sealer = Sealer(KeyRing((OLD,)))
    with pytest.raises(SealError):
        sealer.open(sealer.seal(b"plain", PLACE), place)


@pytest.mark.claim("security-keys", by="sealed_keys")
@pytest.mark.parametrize("position", [0, 3, 4, 15, 16, -1])
def test_a_value_that_was_changed_anywhere_does_not_open(position: int) -> None:
    sealer = Sealer(KeyRing((OLD,)))
    sealed = bytearray(sealer.seal(b"plain", PLACE))
    sealed[position] ^= 1
    with pytest.raises(SealError):
        sealer.open(bytes(sealed), PLACE)
    with pytest.raises(SealError):
        sealer.open(bytes(sealed[:8]), PLACE)


def test_hashes_depend_on_the_key_and_name_its_version() -> None:
    hasher = KeyedHasher(KeyRing((NEW, OLD)))
    newest, old = hasher.all("text")
    assert newest == hasher.newest("text")
    assert (newest.version, old.version) == (2, 1)
    assert newest.digest != old.digest


def test_a_promise_that_is_not_kept_here_is_refused() -> None:
    require_measures(DEPLOYMENT.security)
    with pytest.raises(UnsupportedMeasureError):
        require_measures(replace(DEPLOYMENT.security, key_encryption="ChaCha20-Poly1305"))
