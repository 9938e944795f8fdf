"""The search is able to find: every kind of leak, planted on purpose, is found by it.

A check that cannot fail proves nothing.
"""

import base64
import gzip
import json

import pytest

from tests.privacy.canaries import Canaries
from tests.privacy.content import DROPPED_HEADERS
from tests.privacy.controls import LEAKS_SEARCHED, OTHER_HOST, Control
from tests.privacy.evidence import FILES, LOG, METRICS, STORE, TABLES
from tests.privacy.scan import Scan

FOUND_IN = {
    "output": (LOG, "raw"),
    "log_as_base64": (LOG, "base64"),
    "file": (FILES, "raw"),
    "compressed_file": (FILES, "raw"),
    "shared_memory": (FILES, "raw"),
    "table": (TABLES, "raw"),
    "removed_row": (STORE, "raw"),
    "metric": (METRICS, "raw"),
    "other_host": (OTHER_HOST, "raw"),
}


@pytest.mark.claim("exclude-content")
@pytest.mark.parametrize("leak", FOUND_IN)
def test_exclude_content__a_planted_leak_is_found_by_the_same_search(control: Control, leak: str) -> None:
    sink, form = FOUND_IN[leak]
    found = [finding for finding in control.findings if finding.position == leak]
    assert any(finding.sink == sink and finding.form.startswith(form) for finding in found)
    # And nowhere else, so that it was this leak which was found there. A row is also in the database's files.
    assert {finding.sink for finding in found} <= {sink, STORE}


def test_every_leak_that_can_be_planted_is_expected_somewhere() -> None:
    assert set(LEAKS_SEARCHED) == FOUND_IN.keys()


@pytest.mark.claim("no-sale")
def test_no_sale__a_connection_to_another_host_is_seen(control: Control) -> None:
    if not control.may_look:
        pytest.skip("SKIPPED: only root may see which sockets a hardened process holds")
    assert control.elsewhere in control.destinations


@pytest.mark.claim("exclude-location")
def test_exclude_location__headers_that_were_forwarded_would_be_seen(control: Control) -> None:
    assert {f"headers/{name}" for name in DROPPED_HEADERS} <= control.upstream_headers


@pytest.mark.claim("exclude-content")
def test_exclude_content__a_canary_is_recognised_in_every_encoding(seed: int) -> None:
    canaries = Canaries(seed)
    canary = canaries.plant("here")
    address = canaries.address("address")
    body = json.dumps({"prompt": canary}).encode()
    for name, data in {
        "raw": body,
        "upper case": canary.upper().encode(),
        "cut off": canary[:14].encode(),
        "hex": body.hex().encode(),
        "percent": b"".join(b"%%%02X" % byte for byte in body),
        "JSON escapes": b"".join(b"\\u%04x" % byte for byte in body),
        "UTF-16": canary.encode("utf-16-be"),
        **{f"base64 {n}": base64.b64encode(b"x" * n + body) for n in range(3)},
        **{f"base64 twice {n}": base64.urlsafe_b64encode(base64.b64encode(b"x" * n + body)) for n in range(9)},
        "gzip": gzip.compress(body),
        "gzip within": b"some bytes" + gzip.compress(base64.b64encode(body)),
        "address": address.encode(),
    }.items():
        scan = Scan(canaries)
        scan.data("anywhere", name, data)
        assert scan.findings, name
        assert scan.findings[0].position in ("here", "address", "(the beginning of a canary)"), name


def test_data_without_a_canary_is_clean(seed: int) -> None:
    canaries = Canaries(seed)
    canaries.plant("here")
    canaries.address("address")
    scan = Scan(canaries)
    scan.data("anywhere", "nothing", b"".join(base64.b64encode(bytes([n]) * 1000) for n in range(256)))
    assert scan.findings == []
