"""The cookie register: the one way to set a cookie, and only for declared ones. The gate sees to what goes past it."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from crouter.contract.web import Cookie
from crouter.runtime.metrics import Metrics

_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,3800}")


class UndeclaredCookieError(Exception):
    """The policy declares no cookie of that name."""


class CookieGate:
    """What every `Set-Cookie` passes on its way out. If `strict` an undeclared one is an error, else it is dropped."""

    def __init__(self, cookies: Iterable[Cookie], metrics: Metrics, *, strict: bool) -> None:
        self._names = frozenset(cookie.name for cookie in cookies)
        self._metrics = metrics
        self.is_strict = strict

    def passing(self, values: Sequence[str]) -> list[str]:
        """Those header values that set or remove a declared cookie. Raises UndeclaredCookieError if strict."""
        kept = [value for value in values if value.partition("=")[0].strip() in self._names]
        if len(kept) < len(values) and self.is_strict:
            raise UndeclaredCookieError("an answer sets a cookie that the policy does not declare")
        for _ in range(len(values) - len(kept)):
            self._metrics.count("crouter_cookies_dropped_total")
        return kept


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
