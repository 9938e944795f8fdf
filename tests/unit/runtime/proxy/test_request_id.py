"""The form of our request ids."""

import re

from crouter.runtime.proxy.request_id import REQUEST_ID_CHARS, new_request_id


def test_ids_have_one_form_and_do_not_repeat() -> None:
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"req_[0-9a-f]{32}", each) for each in ids)
    assert {len(each) for each in ids} == {REQUEST_ID_CHARS}
