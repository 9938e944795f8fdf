"""Content, keys and places leave no trace: after every kind of end, in every place that a service can write to."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.privacy.canaries import forms
from tests.privacy.content import DROPPED_HEADERS, PASSED_HEADERS
from tests.privacy.evidence import FILES, LOG, METRICS, OUR_ANSWERS, SINKS, STORE, TABLES, Evidence
from tests.privacy.sandbox import allow_core_dumps

CONTENT = (
    *("prompt", "system", "user_id", "stop_sequence", "tool_description", "document", "file_name"),
    *("tool_input", "tool_result"),
)


@pytest.mark.claim("exclude-content")
@pytest.mark.claim("exclude-retention")
@pytest.mark.claim("exclude-location")
@pytest.mark.parametrize("sink", SINKS)
def test_exclude_content__nothing_of_any_request_is_found(evidence: Evidence, sink: str) -> None:
    assert evidence.bytes_read[sink] > 0, "nothing was looked at"
    assert [finding for finding in evidence.findings if finding.sink == sink] == []


@pytest.mark.claim("exclude-content")
def test_exclude_content__the_search_went_through_what_the_service_really_wrote(evidence: Evidence) -> None:
    read = evidence.bytes_read
    assert read[LOG] > 10_000
    assert read[METRICS] > 500
    assert read[TABLES] > 1_000
    assert read[STORE] > 20_000_000
    assert read[OUR_ANSWERS] > 1_000
    assert FILES in read


@pytest.mark.claim("processor-anthropic")
@pytest.mark.parametrize("scenario", ["json", "stream", "echo", "api_error", "error event", "left", "SIGTERM", "noise"])
def test_processor_anthropic__content_reaches_the_upstream_whole(evidence: Evidence, scenario: str) -> None:
    assert {f"{scenario}/{position}" for position in CONTENT} <= evidence.upstream_content
    image = evidence.canaries.canary(f"{scenario}/image")
    encoded = [data for form, data in forms(image.encode()) if form.startswith("base64")]
    assert any(data in evidence.upstream_raw for data in encoded)


@pytest.mark.claim("processor-anthropic")
@pytest.mark.parametrize("scenario", ["json", "stream", "count", "models", "overloaded_error"])
def test_processor_anthropic__headers_that_name_nobody_pass(evidence: Evidence, scenario: str) -> None:
    passed = {f"{scenario}/{name}" for name in PASSED_HEADERS}
    assert passed <= evidence.upstream_headers
    assert f"{scenario}/query" in evidence.upstream_content


@pytest.mark.claim("exclude-location")
@pytest.mark.parametrize("name", DROPPED_HEADERS)
def test_exclude_location__headers_that_tell_who_or_where_never_reach_the_upstream(
    evidence: Evidence, name: str
) -> None:
    planted = {position for position in evidence.canaries.positions() if position.endswith(f"/{name}")}
    assert len(planted) > 30
    assert planted & (evidence.upstream_headers | evidence.upstream_content) == set()


@pytest.mark.claim("exclude-location")
def test_exclude_location__no_address_of_a_customer_reaches_the_upstream(evidence: Evidence) -> None:
    assert b"2001:db8:" not in evidence.upstream_raw


@pytest.mark.claim("security-keys")
def test_security_keys__no_key_of_a_customer_reaches_the_upstream(evidence: Evidence) -> None:
    positions = {position for position in evidence.canaries.positions() if position.startswith("wrong key/")}
    assert len(positions) > 5
    assert positions & (evidence.upstream_headers | evidence.upstream_content) == set()
    assert b"sk-cr-" not in evidence.upstream_raw


@pytest.mark.claim("exclude-content")
def test_exclude_content__requests_that_are_refused_reach_nobody(evidence: Evidence) -> None:
    refused = (
        "broken JSON",
        "no model",
        "unpriced",
        "no credit",
        "too many",
        "too large",
        "unknown",
        "malformed",
        "crash",
    )
    reached = evidence.upstream_headers | evidence.upstream_content
    assert {position for position in reached if position.split("/")[0] in refused} == set()


@pytest.mark.claim("no-sale")
def test_no_sale__the_process_connects_to_the_upstream_and_the_database_and_nowhere_else(evidence: Evidence) -> None:
    if not evidence.may_look:
        pytest.skip("SKIPPED: only root may see which sockets a hardened process holds")
    assert evidence.looks > 50
    assert evidence.destinations == evidence.expected_destinations
    assert all(len(ports) == 1 for ports in evidence.listens.values())


@pytest.mark.claim("exclude-content")
def test_exclude_content__a_process_that_crashes_leaves_no_image_of_its_memory(evidence: Evidence) -> None:
    assert evidence.statuses == {
        "SIGTERM": 0,
        "SIGABRT": -signal.SIGABRT,
        "SIGSEGV": -signal.SIGSEGV,
    }
    for line in evidence.core_limits.values():
        assert line.split()[4:6] == ["0", "0"]


def test_control__without_protection_a_crash_does_leave_an_image_here(tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("SKIPPED: core dumps are forbidden to this user, so their absence shows nothing")
    pattern = Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8").strip()
    if pattern.startswith(("|", "/")):
        pytest.skip("SKIPPED: this machine hands core dumps to a program, where no test can look")
    subprocess.run(
        [sys.executable, "-c", "import os; os.abort()"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        check=False,
        preexec_fn=allow_core_dumps,
    )
    assert [path.name for path in tmp_path.iterdir()] != []
