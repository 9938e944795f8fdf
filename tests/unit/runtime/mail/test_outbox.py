"""A mail is put into the outbox with the transaction of what it tells of, as the policy declares it or not at all."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crouter.runtime.mail.values import MailRefusedError
from tests.unit.runtime.jobs.jobs import worker
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

RECEIPT = {"amount": 25 * 10**9, "balance": 26 * 10**9, "day": date(2026, 11, 23)}


async def test_a_mail_is_there_when_the_transaction_is_committed(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    async with worker(declared, database.dsn, []) as node:
        async with node.context.database.transaction() as connection:
            await node.context.outbox.enqueue(connection, account, "receipt", RECEIPT)
            assert database.count("outbox") == 0
            assert await node.context.outbox.is_waiting(connection, account)
        assert database.execute('SELECT account_id, template, "values", state, attempts FROM outbox') == [
            (
                account,
                "receipt",
                {"amount": "25000000000", "balance": "26000000000", "day": "2026-11-23"},
                "waiting",
                0,
            )
        ]


async def test_a_repeated_mail_is_one_mail(database: TestDatabase, declared: Declared) -> None:
    account, mail = database.account(), uuid.uuid4()
    async with worker(declared, database.dsn, []) as node:
        for _ in range(3):
            async with node.context.database.transaction() as connection:
                assert await node.context.outbox.enqueue(connection, account, "receipt", RECEIPT, id=mail) == mail
        async with node.context.database.transaction() as connection:
            pairs = [(mail, account), (uuid.uuid4(), account)]
            assert await node.context.outbox.enqueue_for_all(connection, pairs, "receipt", RECEIPT) == 1
    assert database.count("outbox") == 2


@pytest.mark.claim("use-email", by="declared_mail")
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("newsletter", {}),
        ("receipt", {}),
        ("receipt", {**RECEIPT, "name": "Ada"}),
        ("receipt", {**RECEIPT, "amount": "25"}),
        ("receipt", {**RECEIPT, "amount": 0.5}),
        ("receipt", {**RECEIPT, "amount": True}),
        ("receipt", {**RECEIPT, "day": datetime(2026, 11, 23, tzinfo=UTC)}),
        ("key_revoked", {"last_four": "abcd", "at": datetime(2026, 11, 23)}),
        ("key_revoked", {"last_four": "two words", "at": datetime(2026, 11, 23, tzinfo=UTC)}),
        ("key_revoked", {"last_four": "ada@example.org", "at": datetime(2026, 11, 23, tzinfo=UTC)}),
        ("key_revoked", {"last_four": "x\r\nBcc:y", "at": datetime(2026, 11, 23, tzinfo=UTC)}),
        ("key_revoked", {"last_four": "x" * 81, "at": datetime(2026, 11, 23, tzinfo=UTC)}),
        ("request_answered", {"right": "portability"}),
    ],
)
async def test_use_email__a_mail_that_is_not_declared_is_refused(
    kind: str, values: dict[str, Any], database: TestDatabase, declared: Declared
) -> None:
    account = database.account()
    async with worker(declared, database.dsn, []) as node, node.context.database.transaction() as connection:
        with pytest.raises(MailRefusedError) as refused:
            await node.context.outbox.enqueue(connection, account, kind, values)
    assert "ada" not in str(refused.value).lower()
    assert database.count("outbox") == 0
