"""The cookie register: the one way to set a cookie, and only for declared ones."""

import re
from collections.abc import Iterable
from typing import Final

from crouter.contract.web import Cookie

_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,3800}")


class UndeclaredCookieError(Exception):
    """The policy declares no cookie of that name."""


class CookieRegister:
    """Makes `Set-Cookie` values. Every cookie is Secure, for the whole site, and for this host alone."""

    def __init__(self, cookies: Iterable[Cookie]) -> None:
        self._cookies = {cookie.name: cookie for cookie in cookies}

    def set(self, name: str, value: str) -> str:
        """The header that sets a declared cookie. Raises UndeclaredCookieError."""
        cookie = self._declared(name)
        assert _VALUE.fullmatch(value), "cookie values are made by us, from safe characters"
        age = "" if cookie.max_age_seconds is None else f"; Max-Age={cookie.max_age_seconds}"
        return f"{name}={value}; Path=/{age}{_attributes(cookie)}"

    def remove(self, name: str) -> str:
        """The header that removes a declared cookie. Raises UndeclaredCookieError."""
        return f"{name}=; Path=/; Max-Age=0{_attributes(self._declared(name))}"

    def _declared(self, name: str) -> Cookie:
        try:
            return self._cookies[name]
        except KeyError:
            raise UndeclaredCookieError("a cookie that the policy does not declare") from None


def _attributes(cookie: Cookie) -> str:
    return f"; Secure{'; HttpOnly' if cookie.http_only else ''}; SameSite={cookie.same_site.capitalize()}"
