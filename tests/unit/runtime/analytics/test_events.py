import json
from typing import Any

import pytest

from crouter.contract.web import Analytics, AnalyticsEvent
from crouter.runtime.analytics.events import Event, read_event

DECLARED = Analytics(
    processor="openpanel",
    relay_path="/relay",
    mode="opt_in",
    honours=(),
    events=(AnalyticsEvent("page_view", ("path", "referrer_host")), AnalyticsEvent("interaction", ("path", "element"))),
)


def event(name: str, **properties: Any) -> bytes:
    return json.dumps({"type": "track", "payload": {"name": name, "properties": properties}}).encode()


@pytest.mark.claim("processor-openpanel")
@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/", "/"),
        ("/privacy/proof.html", "/privacy/proof.html"),
        ("/pricing?utm=canary#canary", "/pricing"),
        ("/account/3f0c4c5e-0000", "/account/{}"),
        ("/receipts/ada@example.org/x", "/receipts/{}/x"),
        ("/sk-cr-Secret", "/{}"),
        ("/privacy/history/1.0", "/privacy/history/{}"),
        ("/Ünïcode", "/{}"),
        ("https://example.org/x", None),
        ("", None),
        ("/" + "a" * 300, None),
    ],
)
def test_processor_openpanel__a_path_is_that_of_a_page_and_names_nothing_of_a_person(
    path: str, kept: str | None
) -> None:
    expected = () if kept is None else (("path", kept),)
    assert read_event(event("page_view", path=path), DECLARED) == Event("page_view", expected)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "localhost", "a b", "x" * 101 + ".org", "", "a@b.org"])
def test_processor_openpanel__a_referrer_that_is_no_host_name_is_left_out(host: str) -> None:
    assert read_event(event("page_view", referrer_host=host), DECLARED) == Event("page_view", ())
    told = (("referrer_host", "news.example.org"),)
    assert read_event(event("page_view", referrer_host="News.Example.org"), DECLARED) == Event("page_view", told)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"[]",
        b"null",
        b'{"type": "track"}',
        b'{"type": "track", "payload": []}',
        event("undeclared", path="/"),
        json.dumps({"type": "identify", "payload": {"name": "page_view"}}).encode(),
        b"[" * 5000,
        b"\xff",
    ],
)
def test_what_is_no_declared_event_is_none(body: bytes) -> None:
    assert read_event(body, DECLARED) is None


def test_undeclared_properties_and_values_of_another_kind_are_left_out() -> None:
    said = event("interaction", path=7, element="Buy now!", city="canary", __ip="192.0.2.1", profileId="canary")
    assert read_event(said, DECLARED) == Event("interaction", ())
