"""Decides which headers of a request leave for the upstream, and which headers of its answer go back.

Both are open lists on purpose: a new `anthropic-*` header passes without a release of ours, with its value
untouched. What is dropped: what belongs to one connection, the customer's key, what identifies or
locates the customer, and what identifies our account at the upstream. The transport adds host, length, and our key.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from crouter.runtime.proxy.content_coding import readable_accept_encoding

Headers = tuple[tuple[str, str], ...]

# RFC 9110 7.6.1, and what older intermediaries send in its spirit.
HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    }
)

# A key of the customer would be refused upstream at best; a workspace or profile goes with the
# key, and the key that leaves is ours: they would select a part of our account.
_CREDENTIALS: Final = frozenset({"x-api-key", "authorization", "anthropic-workspace-id", "anthropic-user-profile-id"})
# Set by the transport from what it really sends; `expect` was answered on our own leg.
_TRANSPORT: Final = frozenset({"host", "content-length", "expect", "accept-encoding"})

_OUR_ACCOUNT: Final = frozenset({"anthropic-organization-id", "anthropic-workspace-id", "x-organization-uuid"})
# Statements of the upstream's edge about the upstream's own host.
_THEIR_EDGE: Final = frozenset(
    {
        "alt-svc",
        "nel",
        "report-to",
        "reporting-endpoints",
        "server",
        "server-timing",
        "set-cookie",
        "strict-transport-security",
        "via",
    }
)
# One upstream key serves all customers: its limits are ours and say nothing to one of them.
_OUR_LIMITS_PREFIXES: Final = ("anthropic-ratelimit-", "anthropic-priority-", "cf-", "x-envoy-")

# What clients and the upstream send with nearly every message.
USUAL: Final = (
    "accept",
    "accept-encoding",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-version",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "host",
    "request-id",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    "x-api-key",
    "x-app",
    "x-stainless-arch",
    "x-stainless-async",
    "x-stainless-helper-method",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-package-version",
    "x-stainless-read-timeout",
    "x-stainless-retry-count",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
    "x-stainless-timeout",
)
# What would have the upstream answer with a part, with nothing, or in a coding.
_PARTIAL: Final = frozenset(
    {"accept-encoding", "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"}
)
_ACCEPT_ENCODING_CHARS: Final = len("accept-encoding")

# What says how an answer is to be read, and where `Returned` keeps it.
_READ: Final = {
    spelt: name.replace("-", "_")
    for name in ("content-type", "content-encoding", "content-length", "date")
    for spelt in (name, name.title())
}

_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


class HeaderFilter:
    """Passes every header but the named ones. Names and prefixes are lower-case header names."""

    __slots__ = ("_decided", "_names", "_prefixes")

    def __init__(self, names: Iterable[str], prefixes: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._prefixes = tuple(sorted(set(prefixes)))
        for name in (*self._names, *self._prefixes):
            if not _NAME.fullmatch(name):
                raise ValueError("a dropped header is given as a lower-case header name or prefix")
        # Decided once for names that we know ourselves; a name that a client made up is never remembered.
        self._decided = {spelt: self.passes(name) for name in USUAL for spelt in (name, name.title())}

    def kept(self, headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """The headers that pass, in order, untouched."""
        decided = self._decided
        kept = []
        connection: list[str] = []
        for pair in headers:
            passes = decided.get(pair[0])
            if passes is None:
                lower = pair[0].lower()
                passes = lower != "connection" and self.passes(lower)
                # Otherwise it names headers that belong to this connection; `keep-alive` is one that never passes.
                if lower == "connection" and pair[1] != "keep-alive":
                    connection.append(pair[1])
            if passes:
                kept.append(pair)
        named = _named_by(connection)
        if named:
            kept = [pair for pair in kept if pair[0].lower() not in named]
        return kept

    def passing(self) -> frozenset[str]:
        """Usual names, as they are usually spelt, that pass."""
        return frozenset(name for name, passes in self._decided.items() if passes)

    def passes(self, lower: str) -> bool:
        """Whether a header of that lower-case name passes, where no `connection` header names it."""
        return lower not in self._names and not lower.startswith(self._prefixes)


class RequestHeaders:
    """What may leave. The identifying and locating headers come from the declarations."""

    __slots__ = ("_filter",)

    def __init__(self, dropped_names: Iterable[str], dropped_prefixes: Iterable[str]) -> None:
        self._filter = HeaderFilter(HOP_BY_HOP | _CREDENTIALS | _TRANSPORT | frozenset(dropped_names), dropped_prefixes)

    def passes(self, lower: str) -> bool:
        """Whether a header of that lower-case name may leave, where no `connection` header names it."""
        return self._filter.passes(lower)

    def forwarded(self, headers: Sequence[tuple[str, str]]) -> Headers:
        """The client's headers that go upstream, and an `accept-encoding` that we can meter."""
        accepted = [
            value
            for name, value in headers
            if len(name) == _ACCEPT_ENCODING_CHARS and name.lower() == "accept-encoding"
        ]
        coding = readable_accept_encoding(", ".join(accepted)) if accepted else "identity"
        return (*self._filter.kept(headers), ("accept-encoding", coding))


class Returned:
    """The headers of an answer that go back, and those of them that say how it is to be read; None where absent."""

    __slots__ = ("content_encoding", "content_length", "content_type", "date", "headers")

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.content_type: str | None = None
        self.content_encoding: str | None = None
        self.content_length: str | None = None
        self.date: str | None = None

    def without_length(self) -> None:
        """The body that goes back is not of the declared length."""
        self.content_length = None
        self.headers = [pair for pair in self.headers if pair[0].lower() != "content-length"]


class ResponseHeaders:
    """What goes back. `request-id` stays the upstream's; ours is added beside it."""

    __slots__ = ("_filter", "_plain")

    def __init__(self, dropped_names: Iterable[str] = (), dropped_prefixes: Iterable[str] = ()) -> None:
        self._filter = HeaderFilter(
            HOP_BY_HOP | _OUR_ACCOUNT | _THEIR_EDGE | {"x-crouter-request-id"} | frozenset(dropped_names),
            (*_OUR_LIMITS_PREFIXES, *dropped_prefixes),
        )
        # Decided once, as in the filter.
        self._plain = self._filter.passing()

    def returned(self, headers: Sequence[tuple[str, str]], request_id: str) -> Headers:
        """The upstream's headers that go to the client, and our own request id."""
        return (*self._filter.kept(headers), ("x-crouter-request-id", request_id))

    def read(self, headers: Sequence[tuple[str, str]], request_id: str) -> Returned:
        """The same as `returned`, with what decides how the answer is relayed. The first value of a header counts."""
        read = Returned()
        kept, plain = read.headers, self._plain
        for pair in headers:
            if pair[0] in plain:
                kept.append(pair)
                continue
            lower = pair[0].lower()
            if lower == "connection":
                # It may name others: the filter sees to that.
                read.headers = kept = self._filter.kept(headers)
                break
            if self._filter.passes(lower):
                kept.append(pair)
        for name, value in kept:
            attribute = _READ.get(name)
            if attribute is None and name not in plain:
                attribute = _READ.get(name.lower())
            if attribute is not None and getattr(read, attribute) is None:
                setattr(read, attribute, value)
        kept.append(("x-crouter-request-id", request_id))
        return read


def uncoded(headers: Headers) -> Headers:
    """The headers of a request whose answer is read here, which has to come whole and in no content coding."""
    return (*(pair for pair in headers if pair[0].lower() not in _PARTIAL), ("accept-encoding", "identity"))


def _named_by(connection: list[str]) -> frozenset[str]:
    if not connection:
        return frozenset()
    return frozenset(name for value in connection for part in value.split(",") if (name := part.strip().lower()))
