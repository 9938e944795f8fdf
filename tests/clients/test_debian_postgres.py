"""The whole way of a request on another major version of PostgreSQL: Debian's 15, where it is installed."""

from pathlib import Path

import anthropic
import pytest

from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries
from crouter.runtime.database.migrations import Origin, check_database, migrate
from tests.behaviour.service import MODEL, Service, serving
from tests.clients.books import assert_books_agree
from tests.clients.conftest import GENERATED

BIN = Path("/usr/lib/postgresql/15/bin")
MIGRATIONS = GENERATED / "database" / "migrations"

pytestmark = pytest.mark.skipif(
    not (BIN / "postgres").exists(), reason="SKIPPED: Debian's PostgreSQL 15 is not installed (postgresql-15)"
)


async def test_a_session_is_served_and_booked_on_postgresql_15(deployment: Deployment, tmp_path: Path) -> None:
    binaries = PostgresBinaries.installed(BIN)
    assert binaries.major == 15
    with Cluster(tmp_path / "postgres", binaries, durable=False).start() as server:
        dsn = server.ensure_database("crouter")
        origin = Origin.of(deployment)
        migrate(dsn, MIGRATIONS, origin, plain_postgres=True)
        assert check_database(dsn, MIGRATIONS, origin).state == "in_step"
        async with serving(deployment, dsn, GENERATED) as service:
            await _use(service)
            await assert_books_agree(service, 3)
            rotated = await service.keys.rotate(service.account)
            async with anthropic.AsyncAnthropic(api_key=rotated.key.reveal(), base_url=service.url) as client:
                assert (await client.models.list()).data


async def _use(service: Service) -> None:
    async with anthropic.AsyncAnthropic(api_key=service.key, base_url=service.url, max_retries=0) as client:
        for text in ("hi", "simulate: web_search 1"):
            await client.messages.create(model=MODEL, max_tokens=300, messages=[{"role": "user", "content": text}])
        stream = client.messages.stream(model=MODEL, max_tokens=300, messages=[{"role": "user", "content": "hi"}])
        async with stream as opened:
            assert await opened.get_final_text()
        with pytest.raises(anthropic.AuthenticationError):
            await client.with_options(api_key="sk-cr-wrong").models.list()
