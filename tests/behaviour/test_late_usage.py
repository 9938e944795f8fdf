"""Usage that arrives after its period is not written, and the balance knows of it all the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.usage import UsageStore, noted_of
from tests.behaviour.service import Service
from tests.unit.runtime.test_usage import SETTLEMENT


@pytest.mark.claim("retain-usage")
async def test_retain_usage__a_row_that_comes_after_its_period_is_not_written_and_its_charge_is(
    service: Service, deployment: Deployment, dsn: str
) -> None:
    store = UsageStore(deployment, service.running.parts.database)
    account, key, now = uuid4(), uuid4(), datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET search_path TO crouter")
        connection.execute("INSERT INTO account (id, created_at, email) VALUES (%s, now(), 'e')", (account,))
        connection.execute(
            "INSERT INTO api_key (id, account_id, lookup, lookup_version, last_four, created_at, sealed)"
            " VALUES (%s, %s, sha256('a'), 1, 'abcd', now(), sha256('b'))",
            (key, account),
        )
        for age in (timedelta(days=400), timedelta(days=300), timedelta(), timedelta(days=-5)):
            late = replace(SETTLEMENT, id=uuid4(), account=account, api_key=key, occurred_at=now - age)
            for _ in range(2):
                await store.ship(uuid4(), [noted_of(late, deployment.policy_digest)])
        written = connection.execute("SELECT occurred_at FROM usage WHERE account_id = %s ORDER BY 1", (account,))
        charged = connection.execute(
            "SELECT count(*), sum(amount_nanousd) FROM ledger WHERE account_id = %s", (account,)
        )
        ages = [(now - row[0]).days for row in written.fetchall()]
        assert ages == [300, 0, -5]
        assert charged.fetchone() == (4, -4 * SETTLEMENT.charge.cost_nanousd)
