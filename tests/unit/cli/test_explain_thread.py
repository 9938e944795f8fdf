"""The thread is followed both ways, and every place that it names is there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Command

ROOT = Path(__file__).parents[3]


@pytest.fixture
def generated(project: Path, command: Command) -> Path:
    assert command("generate").status == 0
    return project / "generated"


def _line(place: str) -> str:
    file, line = re.match(r"(.+?):(\d+)", place).groups()  # type: ignore[union-attr]
    return Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_a_claim_leads_to_every_place_behind_it(generated: Path, command: Command) -> None:
    told: dict[str, Any] = json.loads(command("explain", "collect-usage", "--json").out)
    assert told["statement"] == "promise"
    assert "collect-usage:" in _line(told["declared_at"])
    assert "billing" in _line(told["values"]["purposes.billing.label"])
    places = {thing["name"]: thing["at"] for thing in told["declarations"]}
    in_records, in_schema = places["usage.model"]
    assert "data.usage.model" in _line(in_records)
    assert '"usage"."model"' in _line(in_schema)
    mechanisms = {step["name"]: step for step in told["mechanisms"]}
    assert "crouter/runtime/usage.py" in mechanisms["usage_record"]["at"]
    assert "class " in _line(mechanisms["usage_record"]["at"])
    assert any("tests/behaviour/test_messages.py" in test for test in mechanisms["usage_record"]["tests"])


def test_in_the_librarys_own_tree_a_test_is_named_with_its_line(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(ROOT)
    told = json.loads(command("explain", "exclude-location", "--json").out)
    place = next(test for test in told["tests"] if "test_identifying_and_locating_headers_stay" in test)
    assert "def test_identifying_and_locating_headers_stay" in _line(place)


@pytest.mark.parametrize(
    ("file", "needle", "path", "claim"),
    [
        ("service/logs.py", 'name="status"', "logging.service.status", "exclude-content"),
        ("service/records/account.py", "data.account.email", "data.account.fields.email", "collect-account"),
        ("service/proxy.py", '"cf-*"', "proxy.drops_request_headers[13]", "exclude-location"),
        ("service/processors.py", '"api.stripe.com"', "processors.stripe.hosts[0]", "processor-stripe"),
        ("service/metrics.py", "crouter_requests_total", "metrics.crouter_requests_total", "exclude-content"),
        ("service/web.py", '"cc_cookie"', "cookies.cc_cookie", "cookie-essential"),
        ("retention/__init__.py", "retention.usage", "retention.usage", "retain-usage"),
        ("database/schema.sql", '"ledger"."amount_nanousd" IS', "data.ledger.fields.amount_nanousd", "retain-account"),
        ("web/cookies.json", "cookies.cc_cookie", "cookies.cc_cookie", "cookie-essential"),
        ("policy/privacy-policy.html", 'id="retain-usage"', "", "retain-usage"),
        ("policy/privacy-policy.txt", "[retain-usage]", "", "retain-usage"),
    ],
)
def test_a_generated_line_leads_back(
    generated: Path, command: Command, file: str, needle: str, path: str, claim: str
) -> None:
    lines = (generated / file).read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if needle in line)
    told = json.loads(command("explain", f"generated/{file}:{number}", "--json").out)
    behind = [entry for entry in told["behind"] if entry["policy_path"] == path]
    assert behind, told
    assert behind[0]["line"] == number
    assert claim in behind[0]["claims"]
    if path:
        assert _line(behind[0]["at"])


def test_a_whole_file_is_explained_line_by_line(generated: Path, command: Command) -> None:
    out = command("explain", "generated/service/logs.py").out
    assert "logging.service.time" in out
    assert "logging.retention.rule" in out


@pytest.mark.parametrize("name", ["generated/no/such.py", "elsewhere/x.py", "generated/service/logs.py/x:3"])
def test_a_file_that_was_not_generated_is_a_sentence(generated: Path, command: Command, name: str) -> None:
    outcome = command("explain", name)
    assert outcome.status == 1
    assert "there is no generated file" in outcome.err
