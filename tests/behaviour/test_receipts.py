"""Receipts of a real service: fetched with the key that made the request, verified without the service."""

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import psycopg
import pytest
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.keys import read_key_set
from crouter.runtime.receipts.verify import VerifiedReceipt, verify
from crouter.simulator import Scripted
from tests.behaviour.service import MODEL, RECEIPT_KEYS, Service, message, serving

ANTHROPICS = (
    *("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_creation", "cache_read_input_tokens"),
    "server_tool_use",
)
SECRET = "canary-of-a-question"


async def ask(service: Service, **more: Any) -> str:
    """The id of one answered request of the SDK's, once its record is in the database."""
    before = len(service.rows("usage"))
    async with anthropic.AsyncAnthropic(api_key=service.key, base_url=service.url, max_retries=0) as client:
        raw = await client.messages.with_raw_response.create(
            model=MODEL, max_tokens=64, messages=[{"role": "user", "content": SECRET}], **more
        )
        assert (await raw.parse()).type == "message"
    assert len(await service.settled("usage")) > before
    return str(raw.headers["x-crouter-request-id"])


async def fetch(service: Service, path: str, key: str | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
    given = {**({"x-api-key": key} if key else {}), **headers}
    async with aiohttp.ClientSession() as session, session.get(service.url + path, headers=given) as answer:
        return answer.status, await answer.text(), {name.lower(): value for name, value in answer.headers.items()}


async def receipt_of(service: Service, request_id: str) -> str:
    status, text, headers = await fetch(service, f"/v1/receipts/{request_id}", service.key)
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/jose", "private, no-store")
    return text


async def key_set_of(service: Service) -> bytes:
    status, text, headers = await fetch(service, "/.well-known/jwks.json")
    assert (status, headers["content-type"]) == (200, "application/jwk-set+json")
    return text.encode()


async def verified(service: Service, request_id: str) -> VerifiedReceipt:
    return verify(await receipt_of(service, request_id), read_key_set(await key_set_of(service)))


async def test_a_request_of_the_sdk_has_a_receipt_that_the_command_verifies_offline(
    service: Service, deployment: Deployment, tmp_path: Path
) -> None:
    request_id = await ask(service)
    receipt, keys = await receipt_of(service, request_id), await key_set_of(service)
    (tmp_path / "receipt").write_text(receipt + "\n", encoding="ascii")
    (tmp_path / "jwks.json").write_bytes(keys)
    done = await asyncio.to_thread(_verify, tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (row,), (charge,) = service.rows("usage"), [row for row in service.rows("ledger") if row["kind"] == "charge"]
    claims = told["claims"]
    assert row["id"].hex == request_id.removeprefix("req_")
    assert (claims["jti"], claims["iss"]) == (request_id, deployment.identity.url)
    assert (claims["model"], claims["usage"]["output_tokens"]) == (row["model"], row["output_tokens"])
    assert told["recomputed_nanousd"] == claims["cost_nanousd"] == -charge["amount_nanousd"] > 0
    assert claims["policy_digest"] == row["policy_digest"] == deployment.policy_digest
    assert claims["service_tier"] == "standard"
    everything = receipt + base64.urlsafe_b64decode(receipt.split(".")[1] + "==").decode()
    for canary in (SECRET, service.key, str(service.account), str(service.key_id)):
        assert canary not in everything


def _verify(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "crouter.cli.main", "receipt", "verify", "receipt", "--keys", "jwks.json"]
    root = Path(__file__).resolve().parents[2]
    environ = {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [*command, *options], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


async def test_no_altered_character_of_a_receipt_is_accepted(service: Service) -> None:
    receipt, keys = await receipt_of(service, await ask(service)), read_key_set(await key_set_of(service))
    assert verify(receipt, keys).cost_agrees
    for place, character in enumerate(receipt):
        altered = receipt[:place] + ("A" if character != "A" else "B") + receipt[place + 1 :]
        with pytest.raises(ReceiptRefusedError):
            verify(altered, keys)


async def test_a_receipt_counts_what_the_upstream_counted_under_names_of_its_own(service: Service) -> None:
    usage = {
        "input_tokens": 9,
        "output_tokens": 4,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "cache_read_input_tokens": 0,
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 3},
        "service_tier": "standard",
        "audio_tokens": 0,
        "image": {"pixels": 12},
    }
    service.simulator.script(Scripted.message(usage=usage))
    found = await verified(service, await ask(service))
    assert {name: found.claims["usage"][name] for name in ANTHROPICS} == {name: usage[name] for name in ANTHROPICS}
    assert found.claims["further_counts"] == {"audio_tokens": 0, "image.pixels": 12}
    cost = 9 * 1000 + 4 * 5000 + 10 * 1250 + 20 * 2000 + 0 * 100 + 2 * 10_000_000
    assert found.recomputed_nanousd == found.claims["cost_nanousd"] == cost
    assert found.differences == ()


async def test_another_key_of_the_account_may_fetch_and_nobody_else_may(service: Service) -> None:
    request_id = await ask(service)
    second = await service.keys.create(service.account, beside_others=True)
    stranger = await service.keys.create(await service.accounts.create("eve@example.org", "Eve"))
    path = f"/v1/receipts/{request_id}"
    assert (await fetch(service, path, second.key.reveal()))[0] == 200
    foreign = await fetch(service, path, stranger.key.reveal())
    nobody = await fetch(service, f"/v1/receipts/req_{'0' * 32}", stranger.key.reveal())
    assert (foreign[0], nobody[0]) == (404, 404)
    assert foreign[2]["retry-after"] == nobody[2]["retry-after"] == "1"
    # Nothing tells an id that somebody else has from one that nobody has.
    assert json.loads(foreign[1])["error"] == json.loads(nobody[1])["error"]
    assert (await fetch(service, path))[0] == 401
    assert (await fetch(service, path, "sk-cr-unknown"))[0] == 401


@pytest.mark.parametrize("name", ["x", "req_0", "..", "req_" + "0" * 32 + ".1", "%2e%2e", "req_" + "0" * 99])
async def test_other_names_have_no_receipt(service: Service, name: str) -> None:
    assert (await fetch(service, f"/v1/receipts/{name}", service.key))[0] == 404


async def test_a_program_that_prefers_json_is_given_it(service: Service) -> None:
    request_id = await ask(service)
    status, text, headers = await fetch(service, f"/v1/receipts/{request_id}", service.key, accept="application/json")
    assert (status, headers["content-type"], headers["vary"]) == (200, "application/json", "accept")
    told = json.loads(text)
    assert (told["type"], told["id"]) == ("receipt", request_id)
    assert verify(told["receipt"], read_key_set(await key_set_of(service))).cost_agrees


async def test_after_a_rotation_old_receipts_hold_and_old_keys_stay_published(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with serving(deployment, dsn, generated) as before:
        request_id = await ask(before)
        old = await receipt_of(before, request_id)
    newer = "2:" + base64.b64encode(b"n" * 32).decode()
    _forget_customer(dsn)
    async with serving(deployment, dsn, generated, CROUTER_RECEIPT_KEYS=f"{newer},{RECEIPT_KEYS}") as after:
        keys = read_key_set(await key_set_of(after))
        assert len(keys.keys) == 2
        assert verify(old, keys).cost_agrees
        new = await receipt_of(after, await ask(after))
        assert verify(new, keys).cost_agrees
        assert old.split(".")[0] != new.split(".")[0]


def _forget_customer(dsn: str) -> None:
    """Makes room for the customer that `serving` creates again."""
    with psycopg.connect(dsn) as connection:
        connection.execute(sql.SQL("UPDATE crouter.account SET email = 'before@example.org'"))


async def test_without_a_key_there_are_no_receipts(deployment: Deployment, dsn: str, generated: Path) -> None:
    async with serving(deployment, dsn, generated, CROUTER_RECEIPT_KEYS="") as service:
        assert (await fetch(service, "/.well-known/jwks.json"))[0] == 404
        assert (await fetch(service, f"/v1/receipts/req_{'0' * 32}", service.key))[0] == 404


async def test_asking_for_receipts_takes_nothing_from_the_window_of_messages(service: Service) -> None:
    asked = [await fetch(service, f"/v1/receipts/req_{'0' * 32}", service.key) for _ in range(51)]
    assert asked[-1][0] == 429
    async with aiohttp.ClientSession(headers=service.headers()) as session:
        answer = await session.post(service.url + "/v1/messages", json=message())
        assert answer.status == 200
