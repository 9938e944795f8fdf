"""The generated documents, as they were generated.

Documents are read once, at the start; the proof page again when what it tells has changed.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from crouter.contract.deployment import Deployment
from crouter.contract.web import Document
from crouter.runtime.code_digest import code_digest
from crouter.runtime.proof import (
    DATA_FILE,
    PAGE_FILE,
    RESULTS_FILE,
    page_with_results,
    read_results,
    with_results,
)
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.web.headers import Headers, page_headers
from crouter.runtime.web.negotiation import best_media_type

CACHED: Final = "public, max-age=300"
# Readers, then people who keep files, then programs.
_PREFERRED: Final = ("text/html", "text/markdown", "text/plain", "application/json")


class MissingDocumentError(Exception):
    """A generated document that the policy declares does not exist."""


@dataclass(frozen=True, slots=True)
class _Page:
    """One representation of one resource."""

    media_type: str
    body: bytes
    varies: bool = False

    @property
    def content_type(self) -> str:
        is_text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if is_text else self.media_type

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class Pages:
    """Answers GET and HEAD for every document."""

    def __init__(self, parts: Parts) -> None:
        """Raises MissingDocumentError."""
        self._headers: Headers = page_headers(parts.deployment.web)
        self._pages: dict[str, tuple[_Page, ...]] = {}
        self._parts, self._told_late = parts, frozenset[str]()
        self._tell_documents()

    def routes(self) -> tuple[tuple[str, str], ...]:
        """Name and path of every page."""
        return tuple((path, path) for path in self._pages)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The page at the path of the request, which is one of `routes`."""
        if self._told_late != self._parts.heartbeat.late:
            self._tell_documents()
        offered = self._pages[exchange.path]
        chosen = best_media_type(exchange.request.headers.get(hdrs.ACCEPT), [page.media_type for page in offered])
        page = next(page for page in offered if page.media_type == chosen)
        headers = [*self._headers, ("etag", page.etag), ("cache-control", CACHED)]
        if page.varies:
            headers.append(("vary", "accept"))
        if _is_known(exchange.request.headers.get(hdrs.IF_NONE_MATCH, ""), page.etag):
            return Reply(status=304, headers=headers)
        return Reply(headers=[*headers, ("content-type", page.content_type)], body=page.body)

    def _tell_documents(self) -> None:
        """Read the documents, and put into the proof page which jobs are late."""
        deployment, generated = self._parts.deployment, self._parts.generated
        late = self._parts.heartbeat.late
        proof = proof_of(deployment, generated, late)
        self._pages.update(_documents(deployment.web.documents, generated, proof))
        self._told_late = late


def proof_of(deployment: Deployment, generated: Path, late: frozenset[str] = frozenset()) -> Mapping[str, bytes]:
    """The proof page and its data with the results that were recorded for what runs here, by file.

    Empty where nothing declares them or they cannot be read; then the files are told to be missing like any other.
    """
    if DATA_FILE not in {document.file for document in deployment.web.documents}:
        return {}
    try:
        data = json.loads((generated / DATA_FILE).read_bytes())
        page = (generated / PAGE_FILE).read_text(encoding="utf-8")
        code = code_digest(generated)
    except OSError:
        return {}
    results = read_results(generated.absolute().parent / RESULTS_FILE, deployment.policy_digest, code)
    told = with_results(data, results, code, datetime.now(UTC).date(), late)
    return {
        PAGE_FILE: page_with_results(page, told).encode(),
        DATA_FILE: (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode(),
    }


def _is_known(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags


def _documents(
    documents: tuple[Document, ...], generated: Path, proof: Mapping[str, bytes]
) -> dict[str, tuple[_Page, ...]]:
    """Each document at its own path. Those that differ in their suffix only are negotiated at the path without."""
    found: dict[str, list[_Page]] = defaultdict(list)
    by_stem: dict[str, list[_Page]] = defaultdict(list)
    for document in documents:
        try:
            body = proof[document.file] if document.file in proof else (generated / document.file).read_bytes()
        except OSError:
            raise MissingDocumentError(f"generated/{document.file} cannot be read: run `crouter generate`") from None
        media_type = document.media_type.partition(";")[0].strip()
        found[document.path].append(_Page(media_type, body))
        stem, dot, suffix = document.path.rpartition(".")
        if dot and "/" not in suffix:
            by_stem[stem].append(_Page(media_type, body))
    for stem, pages in by_stem.items():
        if len(pages) > 1 and stem not in found:
            found[stem] = pages
    return {path: _in_order(pages) for path, pages in found.items()}


def _in_order(pages: list[_Page]) -> tuple[_Page, ...]:
    def place(page: _Page) -> int:
        return _PREFERRED.index(page.media_type) if page.media_type in _PREFERRED else len(_PREFERRED)

    varies = len(pages) > 1
    return tuple(_Page(page.media_type, page.body, varies) for page in sorted(pages, key=place))
