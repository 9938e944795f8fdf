"""What each check finds, with the failure it is for planted, and nothing of a setting in what it says."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crouter.contract.web import Web
from crouter.runtime.doctor import (
    backups,
    certificate,
    compiled,
    database,
    disk,
    front,
    identity,
    payments,
    secrets,
    setup,
)
from crouter.runtime.doctor.check import Backups, Check, Finding, Ground, State
from crouter.runtime.doctor.registry import CHECKS, examine
from crouter.runtime.egress.probing import Told
from crouter.runtime.settings import read_settings
from crouter.runtime.tls import TlsSettings
from tests.behaviour.authority import Authority, write_pair
from tests.unit.runtime.declarations import DEPLOYMENT
from tests.unit.runtime.test_settings import PRODUCTION

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RANDOM = [base64.b64encode(bytes((place * 7 + start) % 256 for place in range(32))).decode() for start in (1, 2, 3)]
RINGS = {
    "CROUTER_SEALING_KEYS": f"1:{RANDOM[0]}",
    "CROUTER_LOOKUP_KEYS": f"1:{RANDOM[1]}",
    "CROUTER_RECEIPT_KEYS": f"1:{RANDOM[2]}",
}


def ground(environ: Mapping[str, str] | None = None, **more: Any) -> Ground:
    given = {"generated": Path("nowhere"), "url": "https://crouter.dev", "settings": None, "now": NOW, **more}
    return Ground(deployment=DEPLOYMENT, environ=environ or {}, **given)


def found(check: Check, at: Ground) -> list[Finding]:
    async def look() -> list[Finding]:
        return [finding async for finding in check.look(at)]

    return asyncio.run(look())


def states(check: Check, at: Ground) -> list[State]:
    return [finding.state for finding in found(check, at)]


def named(name: str) -> Check:
    return next(check for check in CHECKS if check.name == name)


def test_every_check_has_a_name_of_its_own_and_says_what_to_do_about_a_failure() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    planted = ground(
        {"CROUTER_ENVIRONMENT": "development", "CROUTER_JOURNAL": "/nowhere/at/all"}, problems=("X: none",)
    )
    for check in (*setup.CHECKS, *secrets.CHECKS, *disk.CHECKS, *payments.CHECKS):
        for finding in found(check, planted):
            assert finding.do or finding.state in ("ok", "skipped"), check.name


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on() -> None:
    async def broken(at: Ground) -> Any:
        raise ValueError("hidden-word")
        yield

    async def run() -> list[tuple[Check, Finding]]:
        return [pair async for pair in examine(ground(), (Check("broken", "", broken), *setup.CHECKS))]

    (first, *others) = asyncio.run(run())
    assert (first[1].state, first[1].found) == ("failed", "the check itself failed (ValueError)")
    assert others


def test_settings_that_are_refused_are_told_one_by_one() -> None:
    assert found(named("settings"), ground(problems=("A: not set", "B: not set")))[1].found == "B: not set"
    assert states(named("settings"), ground()) == ["ok"]


def test_development_is_no_deployment() -> None:
    assert states(named("environment"), ground({"CROUTER_ENVIRONMENT": "development"})) == ["failed"]
    assert states(named("environment"), ground()) == ["ok"]


def test_a_declared_edge_that_need_not_prove_itself_is_found(tmp_path: Path) -> None:
    assert states(named("edge_secret"), ground(generated=tmp_path)) == ["skipped"]
    (tmp_path / "edge").mkdir()
    (tmp_path / "edge" / "worker.js").write_text("")
    assert states(named("edge_secret"), ground(generated=tmp_path)) == ["failed"]
    assert states(named("edge_secret"), ground({"CROUTER_EDGE_SECRET": "x" * 40}, generated=tmp_path)) == ["ok"]


def test_generated_files_that_are_not_in_step_are_found(tmp_path: Path) -> None:
    assert states(named("manifest"), ground(generated=tmp_path)) == ["failed"]
    told = {"policy": DEPLOYMENT.policy_digest, "contract": DEPLOYMENT.contract, "files": {}}
    (tmp_path / "MANIFEST.json").write_text(json.dumps(told))
    bare = replace(DEPLOYMENT, web=replace(DEPLOYMENT.web, documents=()))
    assert states(named("manifest"), replace(ground(generated=tmp_path), deployment=bare)) == ["ok"]


def test_a_key_that_is_not_random_is_found_by_name() -> None:
    check = named("secret_strength")
    assert states(check, ground(RINGS)) == ["ok"]
    weak = base64.b64encode(b"passwordpasswordpasswordpassword").decode()
    for name in (*RINGS, "CROUTER_SESSION_KEYS"):
        (finding,) = found(check, ground({**RINGS, name: f"1:{RANDOM[0]},2:{weak}"}))
        assert (finding.state, finding.found.partition(":")[0]) == ("failed", name)
        assert weak not in finding.found
    assert states(check, ground({**RINGS, "CROUTER_EDGE_SECRET": "e" * 40})) == ["failed"]


def test_one_secret_for_two_purposes_is_found() -> None:
    check = named("secrets_distinct")
    assert states(check, ground(RINGS)) == ["ok"]
    shared = {**RINGS, "CROUTER_SESSION_KEYS": f"9:{RANDOM[0]}", "CROUTER_EDGE_SECRET": "hidden-word"}
    (finding,) = found(check, ground(shared))
    assert finding.found == "CROUTER_SEALING_KEYS and CROUTER_SESSION_KEYS: hold the same secret"
    reused = {"CROUTER_EDGE_SECRET": "hidden-word", "ANTHROPIC_API_KEY": "sk-ant-1,hidden-word"}
    assert states(check, ground(reused)) == ["failed"]


def test_a_file_of_a_secret_that_others_can_read_is_found(tmp_path: Path) -> None:
    check, file = named("secret_files"), tmp_path / "secret"
    assert states(check, ground()) == ["skipped"]
    file.write_text("hidden-word")
    for name in ("CROUTER_SEALING_KEYS_FILE", "DATABASE_URL_FILE", "CROUTER_TLS_KEY"):
        for mode, state in ((0o644, "failed"), (0o640, "failed"), (0o600, "ok"), (0o400, "ok")):
            file.chmod(mode)
            assert states(check, ground({name: str(file)})) == [state]
        assert states(check, ground({name: str(tmp_path / "none")})) == ["failed"]


def test_a_journal_without_a_place_of_its_own_is_found(tmp_path: Path) -> None:
    check = named("journal_folder")
    assert states(check, ground()) == ["skipped"]
    (tmp_path / "file").write_text("")
    for place in ("none", "file"):
        assert states(check, ground({"CROUTER_JOURNAL": str(tmp_path / place)})) == ["failed"]
    (tmp_path / "file").unlink()
    assert states(named("free_space"), ground({"CROUTER_JOURNAL": str(tmp_path)})) != ["skipped"]
    assert [file.name for file in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [("ext4", "ok"), ("nfs4", "failed"), ("fuse.sshfs", "failed"), ("tmpfs", "failed"), ("cifs", "failed")],
)
def test_a_journal_on_another_machine_or_in_memory_is_found(
    tmp_path: Path, kind: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    folder = tmp_path / "with space"
    folder.mkdir()
    place = str(folder).replace(" ", "\\040")
    mounts.write_text(f"root / xfs rw 0 0\nx {place} {kind} rw 0 0\ny {folder.parent}/with proc rw 0 0\n")
    monkeypatch.setattr(disk, "MOUNTS", mounts)
    assert states(named("journal_folder"), ground({"CROUTER_JOURNAL": str(folder)})) == [state]


def test_a_disk_without_room_for_an_outage_is_found() -> None:
    assert disk.enough(10, 11).state == "failed"
    assert disk.enough(21, 11).state == "warning"
    assert disk.enough(22, 11).state == "ok"


def test_a_way_to_the_database_that_may_be_plain_text_is_found() -> None:
    check = named("database_transport")
    for more, state in (("", "failed"), ("?sslmode=require", "warning"), ("?sslmode=verify-full", "ok")):
        (finding,) = found(check, ground({"DATABASE_URL": f"postgresql://u:hidden-word@db.example/x{more}"}))
        assert finding.state == state
        assert "hidden-word" not in finding.found + finding.do
    assert states(check, ground({"DATABASE_URL": "postgresql:///x"})) == ["ok"]
    assert states(check, ground()) == ["skipped"]


def test_clocks_that_are_apart_are_found() -> None:
    assert [database.same_time(skew).state for skew in (0.1, -2.5, 31.0, -31.0)] == [
        "ok",
        "warning",
        "failed",
        "failed",
    ]


def test_a_database_that_is_away_is_found_without_its_address() -> None:
    gone = ground({"DATABASE_URL": "postgresql://u:hidden-word@127.0.0.1:1/x"})
    for name in ("database_connection", "migrations"):
        (finding,) = found(named(name), gone)
        assert finding.state == "failed"
        assert "hidden-word" not in finding.found


def test_backups_that_outlive_the_policy_are_found(tmp_path: Path) -> None:
    check = named("backups")
    assert states(check, ground(generated=tmp_path)) == ["skipped"]
    (tmp_path / "records").mkdir()
    (tmp_path / backups.RECORD).write_text(json.dumps({"disclosures": {"backups": "P7D"}}))
    at = ground(generated=tmp_path)
    assert found(check, at)[0].do
    for days, state in ((6.9, "ok"), (7.1, "failed")):
        said = Backups(oldest=NOW - timedelta(days=days), newest=NOW - timedelta(hours=3))
        assert states(check, replace(at, backups=said)) == [state]
    stopped = Backups(oldest=NOW - timedelta(days=6), newest=NOW - timedelta(days=3))
    assert states(check, replace(at, backups=stopped)) == ["ok", "warning"]


def test_a_certificate_that_ends_or_names_another_host_is_found(tmp_path: Path) -> None:
    files = Authority().issue(tmp_path, "crouter.dev", "127.0.0.1")
    settings = replace(read_settings(DEPLOYMENT, PRODUCTION), tls=TlsSettings(*files))
    at = ground(settings=settings, now=datetime.now(UTC))
    (check,) = certificate.CHECKS
    assert states(check, ground(settings=None)) == ["skipped"]
    assert states(check, at) == ["warning", "ok"]
    assert states(check, replace(at, url="https://elsewhere.example")) == ["warning", "failed"]
    assert states(check, replace(at, now=datetime.now(UTC) + timedelta(days=3)))[0] == "failed"
    assert states(check, replace(at, now=datetime.now(UTC) - timedelta(days=60)))[0] == "ok"
    write_pair(tmp_path, files[0].read_bytes(), b"not a key")
    assert states(check, at) == ["failed"]


def test_headers_that_are_not_as_declared_are_found() -> None:
    web: Web = replace(DEPLOYMENT.web, response_headers=(("Content-Security-Policy", "default-src 'none'"),))
    at = replace(ground(), deployment=replace(DEPLOYMENT, web=web))
    right = {
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "strict-transport-security": f"max-age={DEPLOYMENT.security.hsts_seconds}",
    }
    assert [one.state for one in front.judged_headers(at, Told(200, right, b""))] == ["ok"]
    for name in right:
        for other in ({**right, name: "other"}, {key: value for key, value in right.items() if key != name}):
            (finding,) = front.judged_headers(at, Told(200, other, b""))
            assert finding.state == "failed"
            assert name in finding.found


@pytest.mark.parametrize(
    ("declared", "page", "api", "state"),
    [
        ("refuse", (403, {}), (403, {}), "ok"),
        ("redirect", (308, {"location": "https://crouter.dev/privacy"}), (403, {}), "ok"),
        ("refuse", (301, {"location": "https://crouter.dev/privacy"}), (403, {}), "warning"),
        ("redirect", (301, {"location": "http://crouter.dev/privacy"}), (403, {}), "failed"),
        ("refuse", (200, {}), (403, {}), "failed"),
        ("redirect", (308, {"location": "https://crouter.dev"}), (301, {"location": "https://crouter.dev"}), "failed"),
        ("refuse", (403, {}), (200, {}), "failed"),
        ("refuse", (403, {}), (502, {}), "failed"),
    ],
)
def test_plain_http_that_is_not_turned_away_is_found(
    declared: str, page: tuple[int, dict[str, str]], api: tuple[int, dict[str, str]], state: State
) -> None:
    assert front.judged_plain(declared, page, api).state == state


def test_keys_that_nobody_could_verify_with_are_found() -> None:
    good = json.dumps({"keys": [{"kty": "EC", "kid": "1"}]}).encode()
    assert identity.judged_keys(200, good).state == "ok"
    assert identity.judged_keys(200, b"1f\r\n" + good + b"\r\n0\r\n\r\n").state == "ok"
    for status, body in ((404, good), (200, b'{"keys": []}'), (200, b'{"keys": [{"kty": "oct"}]}'), (200, b"<html>")):
        assert identity.judged_keys(status, body).state == "failed"


@pytest.mark.parametrize(
    ("key", "secret", "expected"),
    [
        ("rk_live_hiddenword", "whsec_hiddenword00000000", ["ok", "ok"]),
        ("sk_live_hiddenword", "whsec_hiddenword00000000", ["ok", "warning", "ok"]),
        ("sk_test_hiddenword", "whsec_hiddenword00000000", ["failed", "ok"]),
        ("pk_live_hiddenword", "whsec_hiddenword00000000", ["failed", "ok"]),
        ("rk_live_hiddenword", "", ["ok", "failed"]),
        ("rk_live_hiddenword", "hiddenword", ["ok", "failed"]),
        ("", "", ["skipped"]),
    ],
)
def test_payments_that_are_not_real_or_not_signed_are_found(key: str, secret: str, expected: list[State]) -> None:
    told = {"CROUTER_STRIPE_KEY": key, "CROUTER_STRIPE_WEBHOOK_SECRET": secret}
    findings = found(payments.CHECKS[0], ground(told))
    assert [finding.state for finding in findings] == expected
    assert "hiddenword" not in repr(findings)


def test_a_data_path_that_is_not_compiled_is_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = compiled.CHECKS
    monkeypatch.setattr(compiled, "fitting", lambda: Path("there"))
    assert states(check, ground()) == ["ok"]
    assert states(check, ground({"CROUTER_INTERPRETED": "1"})) == ["skipped"]
    monkeypatch.setattr(compiled, "fitting", lambda: None)
    (finding,) = found(check, ground())
    assert (finding.state, "`crouter compile`" in finding.do) == ("warning", True)
