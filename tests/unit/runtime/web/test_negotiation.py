import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.web.negotiation import best_media_type

OFFERED = ("text/html", "text/markdown", "text/plain", "application/json")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/*", "text/html"),
        ("application/*", "application/json"),
        ("TEXT/Markdown", "text/markdown"),
        ("text/html;q=0.5, text/plain", "text/plain"),
        ("text/html;q=0, */*;q=0.1", "text/markdown"),
        ("text/*;q=0.3, text/plain;q=0.2, application/json;q=0.25", "text/html"),
        ("text/plain;format=flowed;q=0.9, application/json;q=1.0", "application/json"),
        ("text/plain;q=nonsense, text/markdown;q=0.001", "text/markdown"),
        ("image/avif", "text/html"),
    ],
)
def test_the_preferred_media_type_is_chosen(accept: str | None, chosen: str) -> None:
    assert best_media_type(accept, OFFERED) == chosen


@given(st.text())
def test_whatever_is_asked_for_something_offered_is_given(accept: str) -> None:
    assert best_media_type(accept, OFFERED) in OFFERED
