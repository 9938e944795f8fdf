import pytest

from crouter.runtime.proxy.retries import ATTEMPTS_MAX, Answered, Next, NotAnswered, after_attempt


@pytest.mark.parametrize("status", range(100, 600))
def test_only_answers_that_nothing_was_done_are_followed_by_another_key(status: int) -> None:
    expected = Next.OTHER_KEY if status in (401, 429, 500, 503, 529) else Next.GIVE_UP
    assert after_attempt(1, "POST", Answered(status), client_got_bytes=False) is expected


def test_what_was_not_sent_is_sent_again_and_what_may_have_been_worked_on_never() -> None:
    assert after_attempt(1, "POST", NotAnswered(nothing_sent=True), client_got_bytes=False) is Next.ANY_KEY
    assert after_attempt(1, "POST", NotAnswered(nothing_sent=False), client_got_bytes=False) is Next.GIVE_UP
    assert after_attempt(1, "DELETE", NotAnswered(nothing_sent=False), client_got_bytes=False) is Next.GIVE_UP


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_changes_nothing_may_be_asked_again(method: str) -> None:
    assert after_attempt(1, method, NotAnswered(nothing_sent=False), client_got_bytes=False) is Next.ANY_KEY


@pytest.mark.parametrize("result", [Answered(529), NotAnswered(nothing_sent=True)])
def test_never_after_a_byte_and_never_for_ever(result: Answered | NotAnswered) -> None:
    assert after_attempt(1, "POST", result, client_got_bytes=True) is Next.GIVE_UP
    assert after_attempt(ATTEMPTS_MAX, "POST", result, client_got_bytes=False) is Next.GIVE_UP
