import pytest

from crouter.runtime.web.privacy_signals import refuses

BOTH = ("global_privacy_control", "do_not_track")


@pytest.mark.claim("cookie-analytics")
@pytest.mark.parametrize("name", ["sec-gpc", "dnt"])
@pytest.mark.parametrize(
    ("value", "refused"),
    [("1", True), (" 1 ", True), ("0", False), ("", False), ("true", False), ("11", False), ("1, 1", False)],
)
def test_cookie_analytics__a_signal_is_exactly_one(name: str, value: str, refused: bool) -> None:
    assert refuses({name: value}.get, BOTH) is refused
    assert refuses({name: value}.get, ()) is False


def test_only_signals_that_the_policy_honours_count() -> None:
    assert not refuses({"dnt": "1"}.get, BOTH[:1])
    assert not refuses({"sec-gpc": "1"}.get, BOTH[1:])
