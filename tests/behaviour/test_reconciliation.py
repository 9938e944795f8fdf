"""Our books beside the upstream's report: nothing differs, or it is explained, or it is found."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio

from crouter.runtime.egress import EgressRefusedError, open_data
from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.entry import FORM, Entry, entry_bytes
from crouter.runtime.journal.quarantine import set_aside
from crouter.runtime.ledger import Ledger, entry_id
from crouter.runtime.metrics import Metrics
from crouter.runtime.payments.processor import BalanceTransaction
from crouter.runtime.reconciliation.figure import Figure
from crouter.runtime.reconciliation.job import show_unexplained
from crouter.runtime.reconciliation.run import Reconciled, Reconciliation
from crouter.runtime.reconciliation.store import Results
from crouter.runtime.reconciliation.stripe import compared_movements, moved_at_stripe, read_booked
from tests.behaviour.service import Service, environment, message, until
from tests.contract.anthropic_admin.server import KEY, AnthropicAdmin, Cost, Use

REQUESTS = 3
CENT_NANOUSD = 10**7
# As the upstream names it in its answers, and in its report.
MODEL = "claude-haiku-4-5-20251001"


class World:
    """A service that was used, and the upstream's report about it."""

    def __init__(self, service: Service, admin: AnthropicAdmin, address: str) -> None:
        self.service, self.admin = service, admin
        self.environ = environment(
            service.dsn,
            "http://127.0.0.1:1",
            CROUTER_ANTHROPIC_ADMIN_KEY=KEY,
            CROUTER_ANTHROPIC_ADMIN_URL=address,
            CROUTER_JOURNAL=str(service.running.parts.settings.journal),
        )
        self.today = datetime.now(UTC).date()

    async def use(self) -> None:
        """Some requests; the report says of them what the upstream has answered."""
        async with aiohttp.ClientSession(headers=self.service.headers()) as session:
            for number in range(REQUESTS):
                body = message("word " * (number + 1))
                async with session.post(f"{self.service.url}/v1/messages", json=body) as answer:
                    assert answer.status == 200
        charged = -sum(row["amount_nanousd"] for row in await self.service.settled("ledger") if row["kind"] == "charge")
        for attempt in self.service.simulator.ledger:
            usage = attempt.usage
            assert usage is not None
            self.admin.uses.append(
                Use(self.today, MODEL, usage["input_tokens"], usage["output_tokens"], usage["cache_read_input_tokens"])
            )
        assert len(self.admin.uses) == REQUESTS
        self.admin.costs.append(Cost(self.today, MODEL, f"{charged / CENT_NANOUSD:.7f}"))

    async def reconcile(self, **environ: str) -> Reconciled:
        """As of tomorrow, so that today is whole."""
        parts = self.service.running.parts
        reconciliation = Reconciliation(parts.deployment, parts.database, {**self.environ, **environ})
        return await reconciliation.run(datetime.now(UTC) + timedelta(days=1))

    def entry(self) -> Entry:
        """A record as the journal has it."""
        return Entry(
            id=uuid.uuid4(),
            account=self.service.account,
            api_key=self.service.key_id,
            occurred_at=datetime.now(UTC),
            model=MODEL,
            input_tokens=7,
            output_tokens=5,
            outcome="complete",
            cost_nanousd=32_000,
            price_version="1",
            policy_digest="0" * 64,
            form=FORM,
        )


@pytest_asyncio.fixture
async def world(service: Service) -> AsyncIterator[World]:
    admin = AnthropicAdmin()
    async with admin.serving() as address:
        made = World(service, admin, address)
        await made.use()
        yield made


def figure(found: Reconciled, measure: str, source: str = "upstream") -> Figure:
    (one,) = (one for one in found.figures if (one.source, one.measure) == (source, measure))
    return one


async def test_books_that_agree_differ_in_nothing(world: World) -> None:
    world.admin.page_buckets = 1
    found = await world.reconcile()
    assert {one.state for one in found.figures} == {"agrees"}
    assert figure(found, "output_tokens").ours > 0
    assert figure(found, "cost_nanousd").ours > 0
    assert {one.source for one in found.figures} == {"ledger", "upstream"}
    assert found.unasked == {"stripe": "payments are not set up"}
    # Three days, each on a page of its own, for both reports.
    assert len(world.admin.asked) == 6


async def test_a_lost_record_is_found(world: World) -> None:
    with psycopg.connect(world.service.dsn) as connection:
        lost = connection.execute(
            "DELETE FROM crouter.usage WHERE id = (SELECT id FROM crouter.usage LIMIT 1) RETURNING output_tokens"
        ).fetchone()
    assert lost is not None
    found = await world.reconcile()
    assert figure(found, "output_tokens").unexplained == lost[0] > 0
    assert "charges without a usage record" in {one.subject for one in found.unexplained}


async def test_a_cent_more_at_the_upstream_is_found(world: World) -> None:
    before = float(world.admin.costs[0].amount_cents)
    world.admin.costs[0].amount_cents = f"{before + 1:.7f}"
    (one,) = (await world.reconcile()).unexplained
    assert (one.measure, one.unexplained) == ("cost_nanousd", CENT_NANOUSD)
    kept = [dict(row) for row in world.service.rows("reconciliation") if row["state"] == "unexplained"]
    assert [(row["source"], row["measure"], row["theirs"] - row["ours"]) for row in kept] == [
        ("upstream", "cost_nanousd", CENT_NANOUSD)
    ]
    parts = world.service.running.parts
    assert await Results(parts.deployment, parts.database).unexplained() == {"ledger": 0, "stripe": 0, "upstream": 1}


async def test_the_metrics_show_what_nothing_explains(world: World) -> None:
    parts, metrics = world.service.running.parts, Metrics(world.service.running.parts.deployment.metrics)
    world.admin.uses.append(Use(world.today, MODEL, 0, 1))
    await world.reconcile()
    showing = asyncio.create_task(show_unexplained(parts.deployment, parts.database, metrics, 0.01))
    # One token more, whose cost nobody was told.
    await until(lambda: b'crouter_reconciliation_unexplained{source="upstream"} 1.0' in metrics.exposition())
    assert b'crouter_reconciliation_unexplained{source="ledger"} 0.0' in metrics.exposition()
    showing.cancel()


async def test_a_record_that_was_set_aside_explains_what_is_missing(world: World) -> None:
    entry = world.entry()
    set_aside(Disk(), Path(world.environ["CROUTER_JOURNAL"]), uuid.uuid4(), entry_bytes(entry))
    world.admin.uses.append(Use(world.today, MODEL, 7, 5))
    world.admin.costs.append(Cost(world.today, MODEL, f"{entry.cost_nanousd / CENT_NANOUSD:.7f}"))
    found = await world.reconcile()
    assert found.unexplained == ()
    assert figure(found, "input_tokens").causes == {"set_aside": 7}
    assert figure(found, "cost_nanousd").causes == {"follows_counts": entry.cost_nanousd}


async def test_other_keys_of_the_organization_are_told_apart(world: World) -> None:
    world.admin.uses.append(Use(world.today, MODEL, 100, 200, api_key_id="apikey_01tests"))
    found = await world.reconcile()
    assert figure(found, "output_tokens").unexplained == 200
    found = await world.reconcile(CROUTER_ANTHROPIC_API_KEY_IDS="apikey_01ours")
    assert figure(found, "output_tokens").causes == {"other_keys": 200}
    assert figure(found, "output_tokens").state == "explained"


async def test_a_count_of_an_unknown_name_does_not_vanish(world: World) -> None:
    world.admin.uses[0].further = {"video_seconds": 12}
    (one,) = (await world.reconcile()).unexplained
    assert (one.measure, one.ours, one.theirs) == ("video_seconds", 0, 12)


async def test_what_batches_used_is_explained_while_nobody_has_read_their_results(world: World) -> None:
    world.admin.uses.append(Use(world.today, MODEL, 40, 60, service_tier="batch"))
    assert figure(await world.reconcile(), "output_tokens").state == "unexplained"
    with psycopg.connect(world.service.dsn) as connection:
        connection.execute(
            "INSERT INTO crouter.batch (id, account_id, api_key_id, held_nanousd, created_at, upstream_id) "
            "VALUES (gen_random_uuid(), %s, %s, 1, now(), 'msgbatch_1')",
            (world.service.account, world.service.key_id),
        )
    assert figure(await world.reconcile(), "output_tokens").causes == {"batches_unread": 60}
    # A loss behind it is still found.
    world.admin.uses.append(Use(world.today, MODEL, 0, 1))
    assert figure(await world.reconcile(), "output_tokens").unexplained == 1


async def test_what_the_other_side_counts_on_the_next_day_is_explained_near_midnight_only(world: World) -> None:
    yesterday = world.today - timedelta(days=1)
    _move_all(world, datetime.combine(yesterday, datetime.max.time(), UTC) - timedelta(minutes=1))
    found = await world.reconcile()
    assert found.unexplained == ()
    assert {one.causes.get("clock_edge", 0) > 0 for one in found.figures if one.day == world.today and one.ours == 0}
    _move_all(world, datetime.combine(yesterday, datetime.min.time(), UTC) + timedelta(hours=12))
    assert (await world.reconcile()).unexplained != ()


def _move_all(world: World, moment: datetime) -> None:
    with psycopg.connect(world.service.dsn) as connection:
        connection.execute("UPDATE crouter.usage SET occurred_at = %s", (moment,))


async def test_a_report_that_cannot_be_had_is_told_and_is_no_agreement(world: World) -> None:
    world.admin.status = 500
    found = await world.reconcile()
    assert found.unasked["upstream"] == "the report was refused with status 500"
    assert [one.state for one in found.figures if one.source == "upstream"] == ["unknown"]
    found = await world.reconcile(CROUTER_ANTHROPIC_ADMIN_KEY="sk-ant-admin01-another")
    assert found.unasked["upstream"] == "the report was refused with status 401"


async def test_the_report_is_asked_at_declared_hosts_only(world: World) -> None:
    parts = world.service.running.parts
    async with open_data(parts.deployment, "anthropic", "https://example.org", production=True) as channel:
        with pytest.raises(EgressRefusedError):
            await channel.send("GET", "/", (), None)


async def test_what_is_asked_names_nobody(world: World) -> None:
    await world.reconcile()
    told = json.dumps([world.admin.asked, [str(row) for row in world.service.rows("reconciliation")]])
    for canary in (str(world.service.account), str(world.service.key_id), "ada@example.org", world.service.key):
        assert canary not in told


async def test_what_is_booked_at_stripe_is_compared_with_what_moved_there(service: Service) -> None:
    parts = service.running.parts
    ledger, today = Ledger(parts.deployment, parts.database), datetime.now(UTC).date()
    async with parts.database.transaction() as connection:
        await ledger.post(connection, service.account, "top_up", 2500 * CENT_NANOUSD, id=entry_id("top_up", "1"))
        await ledger.move(
            connection,
            "fee",
            103 * CENT_NANOUSD,
            debit="processor_fees",
            credit="stripe_clearing",
            id=entry_id("fee", "1"),
        )
    start = datetime.combine(today, datetime.min.time(), UTC)
    booked = await read_booked(parts.database, start, start + timedelta(days=1))
    now = datetime.now(UTC)
    paid = BalanceTransaction("txn_1", "charge", "charge", 2500, 103, 2397, "usd", "ch_1", now)
    found = compared_movements(booked, moved_at_stripe([paid], today, today))
    assert {(figure.subject, figure.state) for figure in found} == {("top-ups", "agrees"), ("fees", "agrees")}
    found = compared_movements(booked, moved_at_stripe([replace(paid, amount_cents=2501)], today, today))
    assert [figure.unexplained for figure in found if figure.state == "unexplained"] == [CENT_NANOUSD]
