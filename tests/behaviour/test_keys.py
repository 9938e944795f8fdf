"""Keys in a running service: what the database holds, and how fast a change takes effect."""

import asyncio
from datetime import timedelta

import aiohttp
import psycopg
import pytest

from crouter.runtime.keys import KeyLimitError
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
