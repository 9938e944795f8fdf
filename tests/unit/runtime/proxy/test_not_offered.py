"""What is refused on purpose is told so; everything else is none of this module's business."""

import pytest

from crouter.runtime.proxy.not_offered import not_offered


@pytest.mark.parametrize("path", ["/v1/files", "/v1/files/", "/v1/files/f/content", "/v1/complete", "/v1/skills/x"])
def test_it_is_a_permission_error_in_words(path: str) -> None:
    refusal = not_offered(path)
    assert refusal is not None
    assert (refusal.status, refusal.type) == (403, "permission_error")
    assert "not offered" in refusal.message


@pytest.mark.parametrize("path", ["/", "/v1/", "/v1/filesystem", "/v1/completely", "/v1/messages", "/v2/files"])
def test_other_paths_are_left_to_others(path: str) -> None:
    assert not_offered(path) is None
