"""The form of our request ids."""

import re
import uuid

import pytest

from crouter.runtime.proxy.request_id import REQUEST_ID_CHARS, named_record, new_request_id, record_id


def test_ids_have_one_form_and_do_not_repeat() -> None:
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"req_[0-9a-f]{32}", each) for each in ids)
    assert {len(each) for each in ids} == {REQUEST_ID_CHARS}


def test_a_record_has_the_bits_of_its_request_and_further_ones_have_ids_of_their_own() -> None:
    request_id = new_request_id()
    ids = [record_id(request_id, earlier) for earlier in range(5)]
    assert ids[0].hex == request_id.removeprefix("req_")
    assert len(set(ids)) == 5
    assert ids == [record_id(request_id, earlier) for earlier in range(5)]
    assert named_record(request_id) == ids[0]
    assert [named_record(f"{request_id}.{earlier}") for earlier in range(1, 5)] == ids[1:]


@pytest.mark.parametrize(
    "name",
    ["", "req_", "req_" + "0" * 31, "req_" + "0" * 33, "req_" + "A" * 32, "req_" + "0" * 32 + ".0", "0" * 32]
    + ["req_" + "0" * 32 + end for end in (".", ".01", ".100", "\n", ".1\n", ".\u0661")]
    + [str(uuid.UUID(int=1))],
)
def test_other_text_names_no_record(name: str) -> None:
    assert named_record(name) is None
