"""A person with a browser: cookies, redirects, and the headers by which browsers tell where a form was sent."""

from http.cookies import SimpleCookie
from types import TracebackType
from typing import Self

import aiohttp

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
