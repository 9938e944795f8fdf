"""One visit of a browser that nobody was in before, watched: what it asked for, what it was refused, what it keeps."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page

from tests.behaviour.service import Service

AXE: Final = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
AXE_TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_COMPLAINTS: Final = ("error", "warning")
# Runs in every page before anything of the page's own.
_REMEMBER: Final = """
  window.refusedByPolicy = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.refusedByPolicy.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
  });
"""


@dataclass
class Visit:
    """A page, and what it did so far."""

    service: Service
    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings in the console of the browser, its own and those of scripts."""

    async def go(self, path: str) -> None:
        """Opens a page of the service."""
        answer = await self.page.goto(f"{self.service.url}{path}", wait_until="load")
        assert answer is not None
        assert answer.status < 500

    async def refused(self) -> list[str]:
        """What the content security policy has forbidden the page that is open."""
        return list(await self.page.evaluate("window.refusedByPolicy"))

    def foreign_requests(self) -> list[str]:
        """Requests that went to another host than the service's own."""
        own = urlsplit(self.service.url).netloc
        return [
            url for url in self.requests if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
        ]

    async def kept(self) -> set[str]:
        """Names of cookies and keys that the browser keeps of the service."""
        cookies = {str(cookie["name"]) for cookie in await self.context.cookies()}
        keys = await self.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
        databases = await self.page.evaluate("indexedDB.databases().then((all) => all.map((one) => one.name))")
        return {*cookies, *keys, *databases}

    async def axe(self) -> list[str]:
        """What axe finds, a line each. It is put in by the debugger, past a policy that lets no page do so."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        options = json.dumps({"runOnly": {"type": "tag", "values": AXE_TAGS}, "resultTypes": ["violations"]})
        found: dict[str, Any] = await self.page.evaluate(f"axe.run(document, {options})")
        return [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    async def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(await self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth"))


@asynccontextmanager
async def visiting(browser: Browser, service: Service, *, signed_in: bool, **options: Any) -> AsyncIterator[Visit]:
    """A visit, with the options of playwright's `new_context`; signed in through the page, as people do."""
    context = await browser.new_context(**options)
    try:
        await context.add_init_script(_REMEMBER)
        page = await context.new_page()
        visit = Visit(service, context, page)
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("pageerror", lambda error: visit.errors.append(str(error)))
        page.on("console", lambda said: visit.complaints.append(said.text) if said.type in _COMPLAINTS else None)
        if signed_in:
            await visit.go("/sign-in?next=/status")
            await page.get_by_role("button", name="Sign in as the development account").click()
            await page.wait_for_url("**/status")
        yield visit
    finally:
        await context.close()
