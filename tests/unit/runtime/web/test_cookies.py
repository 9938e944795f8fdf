import pytest

from crouter.contract.web import Cookie
from crouter.runtime.web.cookies import CookieRegister, UndeclaredCookieError

REGISTER = CookieRegister(
    (
        Cookie("__Host-session", "authentication", "essential", 3600, True, "lax"),
        Cookie("choice", "consent", "essential", None, False, "strict"),
    )
)


@pytest.mark.claim("cookie-essential")
def test_cookie_essential__a_declared_cookie_is_set_as_declared_and_no_other_can_be() -> None:
    assert REGISTER.set("__Host-session", "abc") == (
        "__Host-session=abc; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"
    )
    assert REGISTER.set("choice", "") == "choice=; Path=/; Secure; SameSite=Strict"
    assert REGISTER.remove("__Host-session").startswith("__Host-session=; Path=/; Max-Age=0; Secure")
    for name in ("tracker", "session", ""):
        with pytest.raises(UndeclaredCookieError):
            REGISTER.set(name, "abc")


@pytest.mark.parametrize("value", ["a;b", "a b", 'a"b', "a\r\nset-cookie: x=y", "a,b", "é"])
def test_a_value_that_could_say_more_than_a_value_is_our_own_bug(value: str) -> None:
    with pytest.raises(AssertionError):
        REGISTER.set("choice", value)
