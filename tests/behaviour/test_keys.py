"""Keys in a running service: what the database holds, and how fast a change takes effect."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import psycopg
import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.keys import (
    GraceTooLongError,
    KeyLabelError,
    KeyLimitError,
    KeyStore,
    NewKey,
    NoSuchKeyError,
)
from tests.behaviour.service import Service, until


async def status_with(service: Service, key: str) -> int:
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.url}/v1/models", headers=headers) as answer,
    ):
        return answer.status


async def until_listening(service: Service) -> None:
    await until(lambda: service.running.parts.lookup.listening)


async def test_a_revoked_key_dies_at_once_in_a_service_that_knew_it(service: Service) -> None:
    await until_listening(service)
    assert await status_with(service, service.key) == 200
    await service.keys.revoke(service.key_id)

    async def is_dead() -> bool:
        return await status_with(service, service.key) == 401

    await until(is_dead, 2)


async def test_a_rotated_key_works_until_its_grace_is_over(service: Service) -> None:
    await until_listening(service)
    new = await service.keys.rotate(service.account, grace=timedelta(seconds=1))
    assert await status_with(service, new.key.reveal()) == 200
    assert await status_with(service, service.key) == 200
    await asyncio.sleep(1.1)
    assert await status_with(service, service.key) == 401
    assert await status_with(service, new.key.reveal()) == 200


async def test_an_account_has_one_active_key(service: Service) -> None:
    with pytest.raises(KeyLimitError):
        await service.keys.create(service.account)
    (listed,) = await service.keys.list(service.account)
    assert (listed.id, listed.last_four, listed.revoked_at) == (service.key_id, service.key[-4:], None)


@pytest.mark.claim("security-keys")
async def test_security_keys__a_dump_of_the_database_contains_no_usable_key(service: Service) -> None:
    await status_with(service, service.key)
    with psycopg.connect(service.dsn) as connection:
        dump = "\n".join(
            str(row)
            for table in ("account", "api_key", "ledger", "usage")
            for row in connection.execute(
                psycopg.sql.SQL("SELECT t::text FROM {} t").format(psycopg.sql.Identifier("crouter", table))
            )
        )
    assert service.key not in dump
    assert service.key.encode().hex() not in dump
    assert (await service.keys.open(service.key_id)).reveal() == service.key


@pytest.mark.claim("security-keys")
async def test_security_keys__a_sealed_key_does_not_open_in_another_row(service: Service) -> None:
    other = await service.keys.create(service.account, beside_others=True)
    with psycopg.connect(service.dsn) as connection:
        connection.execute(
            "UPDATE crouter.api_key SET sealed = (SELECT sealed FROM crouter.api_key WHERE id = %s) WHERE id = %s",
            (service.key_id, other.id),
        )
    with pytest.raises(Exception, match="changed or does not belong"):
        await service.keys.open(other.id)


async def test_many_at_once_make_one_key_and_the_database_holds_to_it_too(service: Service) -> None:
    await service.keys.revoke(service.key_id)
    made = await asyncio.gather(*(service.keys.create(service.account) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(one, NewKey) for one in made) == 1
    assert all(isinstance(one, NewKey | KeyLimitError) for one in made)
    # Past the library, by a second row in the same slot:
    with psycopg.connect(service.dsn) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(
            "INSERT INTO crouter.api_key SELECT gen_random_uuid(), account_id, sha256(lookup), lookup_version, "
            "last_four, created_at, NULL, slot, sealed FROM crouter.api_key WHERE slot IS NOT NULL"
        )


async def test_a_rotated_key_hands_its_name_and_limit_on_and_both_are_listed(service: Service) -> None:
    await service.keys.rename(service.key_id, "  laptop ")
    await service.keys.limit(service.key_id, 5_000_000_000)
    new = await service.keys.rotate(service.account)
    old, fresh = await service.keys.list(service.account)
    now = datetime.now(UTC)
    assert (old.id, fresh.id) == (service.key_id, new.id)
    assert old.is_active(now)
    assert old.revoked_at == new.ending
    assert not old.is_active(now + service.keys.grace)
    assert (fresh.label, fresh.month_limit_nanousd) == ("laptop", 5_000_000_000)
    await service.keys.revoke(service.key_id)
    assert not (await service.keys.list(service.account))[0].is_active(datetime.now(UTC))
    with pytest.raises(GraceTooLongError):
        await service.keys.rotate(service.account, service.keys.grace + timedelta(seconds=1))


async def test_nobody_changes_the_key_of_another_account(service: Service) -> None:
    other = await service.accounts.create("grace@example.org", "Grace")
    for change in (
        service.keys.revoke(service.key_id, account=other),
        service.keys.rename(service.key_id, "mine", account=other),
        service.keys.limit(service.key_id, 1, account=other),
        service.keys.rotate(other, key=service.key_id),
    ):
        with pytest.raises(NoSuchKeyError):
            await change
    (listed,) = await service.keys.list(service.account)
    assert (listed.label, listed.month_limit_nanousd, listed.revoked_at) == (None, None, None)


@pytest.mark.parametrize("text", ["x" * 61, "two\nlines", "\u202eturned", "sk-cr-abc"])
async def test_a_name_is_one_short_line_and_never_a_key(service: Service, text: str) -> None:
    with pytest.raises(KeyLabelError) as refused:
        await service.keys.rename(service.key_id, text)
    assert text not in str(refused.value)


async def test_an_owner_is_told_by_mail_in_the_same_transaction(
    service: Service, deployment: Deployment, dsn: str
) -> None:
    posted: list[tuple[uuid.UUID, str, dict[str, Any]]] = []

    class Post:
        async def enqueue(self, connection: Any, account: uuid.UUID, template: str, values: Any) -> None:
            await connection.execute("SELECT 1")
            posted.append((account, template, dict(values)))

    parts = service.running.parts
    keys = KeyStore(deployment, parts.database, parts.settings.store, Post())
    new = await keys.rotate(service.account, timedelta())
    await keys.revoke(new.id)
    assert [(account, template) for account, template, _ in posted] == [
        (service.account, "key_rotated"),
        (service.account, "key_revoked"),
    ]
    assert all(values["last_four"] == new.key.reveal()[-4:] for _, _, values in posted)
