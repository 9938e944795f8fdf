"""Deletions that finish: processors that are down for days, backups that are restored, jobs killed anywhere."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.copies.making import CopyEndedError, make_copy
from crouter.runtime.erasure.before_traffic import remember_once, remembered_before_traffic
from crouter.runtime.erasure.processors import erasers
from crouter.runtime.erasure.progress import Progress
from crouter.runtime.erasure.tombstones import TombstonesUnusableError
from crouter.runtime.retention.options import RetentionOptions
from crouter.runtime.retention.run import run_retention
from tests.behaviour.rights import Office, StandIn, make_account, office

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEYS = "1:dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ="


def settings(tmp_path: Path) -> dict[str, str]:
    return {"CROUTER_TOMBSTONES": str(tmp_path / "tombstones"), "CROUTER_TOMBSTONE_KEYS": KEYS}


@pytest_asyncio.fixture(loop_scope="module")
async def desk(
    deployment: Deployment, generated: Path, migrated: str, dsn: str, tmp_path: Path
) -> AsyncIterator[Office]:
    async with office(deployment, generated, dsn, settings(tmp_path)) as opened:
        assert opened.rights.tombstones is not None
        opened.rights.tombstones.begin()
        yield opened


def progress(desk: Office, *processors: StandIn) -> Progress:
    return Progress(
        desk.deployment,
        desk.database,
        desk.rights.sealer,
        desk.rights.deletions,
        erasers(*processors),
        everything_is_set_up=True,
    )


async def erase_here(desk: Office) -> None:
    options = RetentionOptions(rule="deletion", as_of=desk.clock[0], allow_future=True, share_percent_max=100)
    (result,) = await asyncio.to_thread(run_retention, desk.dsn, desk.deployment, options)
    assert result.outcome == "complete", result


async def begin(desk: Office, account: uuid.UUID, since: datetime | None = None) -> uuid.UUID:
    return (await desk.rights.deletions.begin(account, "page", "no_credit", desk.clock[0], since=since)).id


async def alive(desk: Office) -> set[uuid.UUID]:
    return {row["id"] for row in desk.rows("account") if row["erased_at"] is None}


@pytest.mark.claim("retain-deleted")
async def test_retain_deleted__a_processor_that_is_down_for_days_keeps_the_deletion_open_and_nothing_here(
    desk: Office,
) -> None:
    supabase = StandIn("supabase")
    account = await make_account(desk, "canary-mail@example.org", "Canary Name")
    supabase.held.add(str(account))
    deletion = await begin(desk, account)
    desk.clock[0] += timedelta(days=7, minutes=1)
    await erase_here(desk)
    assert "canary" not in dump(desk.dsn)
    supabase.is_down = True
    work = progress(desk, supabase)
    until = desk.clock[0] + timedelta(days=3)
    while desk.clock[0] < until:
        await work.go_on(desk.clock[0])
        desk.clock[0] += timedelta(minutes=5)
    (step,) = (row for row in desk.rows("erasure_step") if row["processor"] == "supabase")
    assert (step["state"], step["error"]) == ("waiting", "status_500")
    assert 15 < step["attempts"] == supabase.asked < 30, "tried again, and ever less often"
    record = await desk.rights.records.find(deletion)
    assert record is not None
    assert (record.state, record.erased_at is not None) == ("erased", True)
    supabase.is_down = False
    desk.clock[0] += timedelta(hours=6)
    done = await work.go_on(desk.clock[0])
    assert (done.failed, done.ended, supabase.held) == (0, 1, set())
    (step,) = (row for row in desk.rows("erasure_step") if row["processor"] == "supabase")
    assert (step["state"], step["pointer"], step["error"]) == ("done", None, None)
    assert [row["account"] for row in desk.rows("erasure")] == [None]
    assert str(account) not in dump(desk.dsn)


async def test_a_deletion_that_no_processor_confirms_is_late_and_says_so(desk: Office) -> None:
    supabase = StandIn("supabase")
    supabase.is_down = True
    account = await make_account(desk, "late@example.org", "Late")
    await begin(desk, account)
    desk.clock[0] += timedelta(days=8)
    await erase_here(desk)
    assert (await progress(desk, supabase).go_on(desk.clock[0])).late == 0
    desk.clock[0] += timedelta(days=23)
    done = await progress(desk, supabase).go_on(desk.clock[0])
    assert (done.asked, done.failed, done.ended, done.late) == (1, 1, 0, 1)


@pytest.mark.claim("retain-deleted")
async def test_retain_deleted__a_backup_from_before_a_hundred_deletions_brings_none_of_them_back(
    desk: Office, deployment: Deployment, generated: Path, cluster: RunningCluster, tmp_path: Path
) -> None:
    async with desk.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO crouter.account (id, email, name, created_at) SELECT gen_random_uuid(), "
            "'canary-' || n || '@example.org', 'Canary', now() - interval '90 days' FROM generate_series(1, 120) AS n"
        )
    everybody = sorted(await alive(desk))
    deleted, staying, taken_back, graced = everybody[:100], everybody[100:110], everybody[110:115], everybody[115:]
    early = deleted[:20]
    long_ago = datetime.now(UTC) - timedelta(days=10)
    # Some deletions were asked for before the backup, and carried out after it.
    for account in early:
        await begin(desk, account, since=long_ago)
    backup = backed_up(desk, cluster)
    # Connections of before are dead, and found to be.
    await desk.database.rows(sql.SQL("SELECT 1"))
    for account in deleted[20:]:
        await begin(desk, account, since=long_ago)
    for account in taken_back:
        deletion = await begin(desk, account)
        await desk.rights.deletions.take_back(deletion, desk.clock[0])
    for account in graced:
        await begin(desk, account)
    desk.clock[0] = datetime.now(UTC)
    await erase_here(desk)
    assert await alive(desk) == {*staying, *taken_back, *graced}

    restored = cluster.dsn(backup)
    async with office(deployment, generated, restored, settings(tmp_path)) as again:
        assert await alive(again) == set(everybody)
        assert await remembered_before_traffic(deployment, again.store, again.context.log, asyncio.Event())
        assert await alive(again) == {*staying, *taken_back, *graced}
        running = {row["id"] for row in again.rows("account") if row["deletion_requested_at"] is not None}
        assert running == set(graced), "those keep the time in which they can be taken back"
        assert not {row["account"] for row in again.rows("erasure")} & set(staying)
        second = await remember_once(deployment, again.database, again.store)
        assert (second.begun, second.erased) == (0, 0)


async def test_a_restore_without_its_tombstones_is_refused(
    desk: Office, deployment: Deployment, generated: Path, tmp_path: Path
) -> None:
    account = await make_account(desk, "gone@example.org", "Gone")
    await make_account(desk, "here@example.org", "Here")
    await begin(desk, account, since=desk.clock[0] - timedelta(days=8))
    await erase_here(desk)
    await progress(desk, StandIn("supabase")).go_on(desk.clock[0])
    file = tmp_path / "tombstones"
    kept = file.read_bytes()
    file.unlink()
    with pytest.raises(TombstonesUnusableError, match="put the file of tombstones in place"):
        await remember_once(deployment, desk.database, desk.store)
    assert desk.rights.tombstones is not None
    desk.rights.tombstones.begin()
    with pytest.raises(TombstonesUnusableError, match="1 deletions that the file does not have"):
        await remember_once(deployment, desk.database, desk.store)
    file.write_bytes(kept)
    await remember_once(deployment, desk.database, desk.store)


async def test_a_first_start_begins_the_file_and_a_killed_request_is_added_to_it(
    deployment: Deployment, generated: Path, migrated: str, dsn: str, tmp_path: Path
) -> None:
    async with office(deployment, generated, dsn, settings(tmp_path)) as desk:
        await remember_once(deployment, desk.database, desk.store)
        tombstones = desk.rights.tombstones
        assert tombstones is not None
        assert not tombstones.read()
        account = await make_account(desk, "a@example.org", "A")
        deletion = await begin(desk, account)
        # As if the process had been killed between the database and the file.
        (tmp_path / "tombstones").write_bytes(b"crouter tombstones 1\n")
        await remember_once(deployment, desk.database, desk.store)
        assert {stone.asked_at for stone in tombstones.read().values()} == {desk.clock[0]}
        await desk.rights.deletions.take_back(deletion, desk.clock[0])
        lines = (tmp_path / "tombstones").read_bytes().splitlines(keepends=True)
        (tmp_path / "tombstones").write_bytes(b"".join(lines[:-1]))
        assert (await remember_once(deployment, desk.database, desk.store)).begun == 0
        assert await alive(desk) == {account}


async def test_a_copy_whose_maker_is_killed_at_any_batch_is_made_anew_and_nothing_opens_the_pieces_of_before(
    desk: Office,
) -> None:
    account = await make_account(desk, "copied@example.org", "Copied")
    async with desk.database.transaction() as connection:
        request = await desk.rights.requests.open(connection, account, "copy", "page", desk.clock[0])
        await desk.rights.copies.ask(connection, account, request.id, desk.clock[0])
    for asked_before_stop in range(3):
        copy = await desk.rights.copies.next(desk.clock[0])
        assert copy is not None
        with pytest.raises(CopyEndedError):
            await asyncio.to_thread(
                make_copy, desk.store, desk.deployment, copy.id, account, stopped_after(asked_before_stop)
            )
        desk.clock[0] += timedelta(minutes=16)
    copy = await desk.rights.copies.next(desk.clock[0] + timedelta(minutes=16))
    assert copy is not None
    size = await asyncio.to_thread(make_copy, desk.store, desk.deployment, copy.id, account, lambda: False)
    async with desk.database.transaction() as connection:
        assert await desk.rights.copies.ready(connection, copy.id, size)
    openers = {row["id"]: row["opener"] is not None for row in desk.rows("data_copy")}
    assert openers.pop(copy.id) is True
    assert set(openers.values()) == {False}


async def test_a_deletion_during_an_export_ends_it(desk: Office) -> None:
    account = await make_account(desk, "both@example.org", "Both")
    async with desk.database.transaction() as connection:
        request = await desk.rights.requests.open(connection, account, "copy", "page", desk.clock[0])
        await desk.rights.copies.ask(connection, account, request.id, desk.clock[0])
    copy = await desk.rights.copies.next(desk.clock[0])
    assert copy is not None
    await begin(desk, account)
    with pytest.raises(CopyEndedError):
        await asyncio.to_thread(make_copy, desk.store, desk.deployment, copy.id, account, lambda: False)
    assert [(row["state"], row["opener"]) for row in desk.rows("data_copy")] == [("failed", None)]


def stopped_after(looks: int) -> Callable[[], bool]:
    """Says at the look after so many that the process is to stop."""
    left = iter(range(looks))
    return lambda: next(left, None) is None


def backed_up(desk: Office, cluster: RunningCluster) -> str:
    """A copy of the database as it is now; its name. Nothing else may be connected to it meanwhile."""
    source, name = psycopg.conninfo.conninfo_to_dict(desk.dsn)["dbname"], f"backup_{random.getrandbits(48):x}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (source,),
        )
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(str(source))))
    return name


def dump(dsn: str) -> str:
    """Everything in every table, as text."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return "\n".join(
            str(connection.execute(f"SELECT array_agg(t::text) FROM {table} t").fetchone())  # noqa: S608
            for (table,) in tables
        )
