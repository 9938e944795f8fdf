"""A person with a browser: cookies, redirects, and the headers by which browsers tell where a form was sent."""

import html
import re
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Self

import aiohttp

from crouter.runtime.identity.session_cookie import COOKIE

SAME_ORIGIN = {"sec-fetch-site": "same-origin", "origin": "null"}
"""What a page of ours sends with its forms: no referrer policy, so that the origin is not told."""


class Answer:
    """One answer, read whole."""

    def __init__(self, status: int, headers: list[tuple[str, str]], text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text

    def header(self, name: str) -> str | None:
        return next((value for found, value in self.headers if found.lower() == name), None)

    @property
    def location(self) -> str:
        found = self.header("location")
        assert found is not None, f"no redirect but {self.status}"
        return found

    def cookies(self) -> list[str]:
        """Every Set-Cookie."""
        return [value for name, value in self.headers if name.lower() == "set-cookie"]


class Person:
    """Keeps the cookies that `__Host-` cookies are kept by, and follows nothing unless told to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self._page = ""
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def get(self, target: str, **headers: str) -> Answer:
        """`target` is a path of the service, or another address, which gets no cookie."""
        return await self._ask("GET", target, None, headers)

    async def post(self, path: str, data: dict[str, str] | bytes, **headers: str) -> Answer:
        """Sends a form as a page of ours would, unless `headers` say otherwise."""
        return await self._ask("POST", path, data, SAME_ORIGIN | headers)

    async def send(self, path: str, token: str | None = None, **fields: str) -> Answer:
        """Sends a form of the page that was last looked at, with its token unless another is given."""
        return await self.post(path, {"form_token": self.hidden("form_token") if token is None else token, **fields})

    def hidden(self, name: str) -> str:
        """The value of a hidden field of the page that was last looked at."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self._page)
        assert found is not None, f"the last page has no field {name}"
        return html.unescape(found[1])

    async def _ask(
        self, method: str, target: str, data: dict[str, str] | bytes | None, headers: dict[str, str]
    ) -> Answer:
        is_ours = target.startswith("/") or target.startswith(f"{self.url}/")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if is_ours and self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        url = self.url + target if target.startswith("/") else target
        async with self._http.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
            found = Answer(answer.status, list(answer.headers.items()), await answer.text())
        if found.status == 200:
            self._page = found.text
        if is_ours:
            for line in found.cookies():
                self._keep(line)
        return found

    def _keep(self, line: str) -> None:
        ((name, morsel),) = SimpleCookie(line).items()
        assert name.startswith("__Host-")
        assert morsel["secure"], line
        assert (morsel["path"], morsel["domain"]) == ("/", ""), line
        if morsel["max-age"] == "0":
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = morsel.value


async def sign_in(person: Person) -> str:
    """Signs the development account in; the cookie's value."""
    answer = await person.post("/sign-in", {"next": "/privacy"})
    assert (answer.status, answer.location) == (303, "/privacy")
    return person.cookies[COOKIE]
