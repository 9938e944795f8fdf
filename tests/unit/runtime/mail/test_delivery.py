"""Mails arrive: once as a rule, again after a failure, never for ever; over a real connection to a mail server."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest

from crouter.runtime.mail.delivery import AGE_MAX, PAUSES
from crouter.runtime.mail.waiting import CLAIM
from tests.contract.smtp.server import mail_server
from tests.unit.runtime.mail.deliveries import RECEIPT, SENDER, Post, post
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_a_mail_arrives_with_both_forms_and_says_that_a_machine_sent_it(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account(email="ada@example.org", name="Ada Canary")
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        mail = await office.enqueue(account)
        assert await office.send() == 1
        assert await office.send() == 0, "once"
        assert office.states() == [("sent", 1, None)]
    (accepted,) = sink.accepted
    assert (accepted.sender, accepted.recipients) == (SENDER, ("ada@example.org",))
    message = accepted.message
    assert message["To"] == "ada@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{mail}@crouter.dev>"
    assert {part.get_content_type() for part in message.walk()} == {
        "multipart/alternative",
        "text/plain",
        "text/html",
    }
    for part in message.iter_parts():
        content = part.get_content()
        assert "$25.00" in content
        assert "November 23, 2026" in content
        assert "Ada" not in content, "a name is for signing in"
    assert [line["event"] for line in office.lines()] == ["mail_sent"]
    assert "ada@" not in office.node.out.getvalue()


@pytest.mark.parametrize("answer", ["450 try later", "451 greylisted", "452 full"])
async def test_what_may_pass_is_tried_again_after_growing_pauses_and_parked_in_the_end(
    answer: str, database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        await office.enqueue(database.account())
        sink.faults.always["RCPT"] = answer
        for attempt, pause in enumerate(PAUSES, start=1):
            await office.send()
            assert office.states() == [("waiting", attempt, f"smtp_{answer[:3]}")]
            office.now += pause - timedelta(seconds=1)
            await office.send()
            assert office.states()[0][1] == attempt, "not before its time"
            office.pass_time(seconds=2)
        await office.send()
        assert office.states() == [("parked", len(PAUSES) + 1, f"smtp_{answer[:3]}")]
        assert office.lines()[-1]["event"] == "mail_parked"
        sink.faults.always.clear()
        office.pass_time(days=1)
        assert await office.send() == 0
    assert sink.accepted == []


async def test_a_refused_address_is_dropped_at_once_and_stops_no_other(
    database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        sink.faults.of_recipient["gone@example.org"] = "550 5.1.1 gone@example.org is unknown"
        await office.enqueue(database.account(email="gone@example.org"))
        await office.enqueue(database.account(email="here@example.org"))
        assert await office.send() == 1
        assert sorted(office.states()) == [("dropped", 1, "smtp_550"), ("sent", 1, None)]
        assert sink.connections == 1
        assert "gone@" not in office.node.out.getvalue()


async def test_a_refused_message_is_parked_and_stops_no_other(database: TestDatabase, declared: Declared) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        sink.faults.once["DATA"] = ["554 5.7.1 we do not like this one"]
        await office.enqueue(database.account())
        await office.enqueue(database.account())
        assert await office.send() == 1
        assert sorted(office.states()) == [("parked", 1, "smtp_554"), ("sent", 1, None)]


async def test_a_server_that_is_away_for_two_days_costs_no_mail_an_attempt(
    database: TestDatabase, declared: Declared
) -> None:
    port = unused_port()
    async with post(declared, database, port) as office:
        for _ in range(3):
            await office.enqueue(database.account())
        for _ in range(48):
            assert await office.send() == 0
            office.pass_time(hours=1)
        assert office.states() == [("waiting", 0, None)] * 3
        assert {line["event"] for line in office.lines()} == {"mail_server_away"}
        async with mail_server(port=port) as sink:
            assert await office.send() == 3
    assert len(sink.accepted) == 3


async def test_old_news_is_parked_when_the_server_stays_away(database: TestDatabase, declared: Declared) -> None:
    async with post(declared, database, unused_port()) as office:
        await office.enqueue(database.account())
        office.now += AGE_MAX + timedelta(seconds=10)
        await office.enqueue(database.account())
        database.execute(
            "UPDATE outbox SET created_at = now() - interval '6 days' WHERE id IN (SELECT id FROM outbox LIMIT 1)"
        )
        office.now = datetime.now(UTC) + timedelta(seconds=30)
        await office.send()
        assert sorted(office.states())[0][:1] == ("parked",)
        assert sorted(office.states())[1][:2] == ("waiting", 0)


async def test_a_server_that_says_it_closes_is_left_alone_until_the_next_run(
    database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        sink.faults.once["MAIL"] = ["421 4.3.2 closing"]
        for _ in range(3):
            await office.enqueue(database.account())
        assert await office.send() == 0
        assert sorted(office.states()) == [("waiting", 0, None), ("waiting", 0, None), ("waiting", 1, "smtp_421")]
        assert await office.send() == 2
        office.pass_time(minutes=2)
        assert await office.send() == 1


async def test_a_message_that_was_taken_without_an_answer_comes_again_under_the_same_id(
    database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        sink.faults.cut_after_data = 1
        mail = await office.enqueue(database.account())
        await office.enqueue(database.account())
        assert await office.send() == 1, "the other one goes over a new connection"
        assert sorted(office.states()) == [("sent", 1, None), ("waiting", 1, "smtp_broke_off")]
        office.pass_time(minutes=2)
        assert await office.send() == 1
    ids = [accepted.message["Message-ID"] for accepted in sink.accepted]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    assert f"<{mail}@crouter.dev>" in ids


async def test_a_server_that_never_answers_is_given_up(database: TestDatabase, declared: Declared) -> None:
    async with mail_server() as sink, post(declared, database, sink.port, timeout_seconds=0.5) as office:
        sink.faults.silent_seconds = 5
        await office.enqueue(database.account())
        async with asyncio.timeout(20):
            assert await office.send() == 0
        assert office.states() == [("waiting", 1, "smtp_broke_off")]


async def sent_by_two(one: Post, other: Post) -> int:
    return sum(await asyncio.gather(*(office.send() for office in (one, other) for _ in range(3))))


async def test_several_workers_at_once_send_each_mail_once(database: TestDatabase, declared: Declared) -> None:
    count = 60
    async with (
        mail_server() as sink,
        post(declared, database, sink.port) as one,
        post(declared, database, sink.port) as other,
    ):
        account = database.account()
        async with one.node.context.database.transaction() as connection:
            for _ in range(count):
                await one.node.context.outbox.enqueue(connection, account, "receipt", RECEIPT)
        assert await sent_by_two(one, other) == count
        assert set(one.states()) == {("sent", 1, None)}
    ids = [accepted.message["Message-ID"] for accepted in sink.accepted]
    assert len(ids) == len(set(ids)) == count


async def test_a_worker_that_is_cut_off_gives_back_what_it_has_not_tried(
    database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        for _ in range(5):
            await office.enqueue(database.account())
        sink.faults.silent_seconds = 30
        task = asyncio.create_task(office.send())
        async with asyncio.timeout(20):
            while not sink.accepted:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
        assert [state[:2] for state in office.states()] == [("waiting", 0)] * 5
        sink.faults.silent_seconds = 0
        assert await office.send() == 5
    assert len({accepted.message["Message-ID"] for accepted in sink.accepted}) == 5


async def test_what_a_killed_worker_had_claimed_is_due_again_when_its_claim_ends(
    database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        await office.enqueue(database.account())
        assert len(await office.delivery().waiting.claim(office.now)) == 1
        assert await office.send() == 0
        office.now += CLAIM + timedelta(seconds=1)
        assert await office.send() == 1
        assert office.states() == [("sent", 2, None)]


@pytest.mark.parametrize("how", ["erased", "empty", "deleted"])
async def test_an_account_that_is_gone_when_its_mail_is_sent_gets_none(
    how: str, database: TestDatabase, declared: Declared
) -> None:
    account = database.account()
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        await office.enqueue(account)
        if how == "erased":
            database.execute(
                "UPDATE account SET email = NULL, name = NULL, deletion_requested_at = now(), erased_at = now()"
            )
        elif how == "empty":
            database.execute("UPDATE account SET email = ''")
        else:
            database.execute("DELETE FROM outbox")
            database.execute("DELETE FROM account")
        assert await office.send() == 0
        expected = [] if how == "deleted" else [("dropped", 1, "no_address")]
        assert office.states() == expected
    assert sink.accepted == []


@pytest.mark.parametrize(
    ("address", "utf8", "arrives_at"),
    [
        ("ünï@bücher.example", True, "ünï@xn--bcher-kva.example"),
        ("u@bücher.example", False, "u@xn--bcher-kva.example"),
        ("ünï@example.org", False, None),
        ("two@example.org, more@example.org", True, None),
        ("a@example.org\r\nBcc: more@example.org", True, None),
        ("a@example.org>\r\nRCPT TO:<more@example.org", True, None),
    ],
)
async def test_an_address_is_one_address_or_none(
    address: str, utf8: bool, arrives_at: str | None, database: TestDatabase, declared: Declared
) -> None:
    async with mail_server(utf8=utf8) as sink, post(declared, database, sink.port) as office:
        await office.enqueue(database.account(email=address))
        await office.send()
        assert [accepted.recipients for accepted in sink.accepted] == ([(arrives_at,)] if arrives_at else [])
        assert office.states()[0][0] == ("sent" if arrives_at else "dropped")
        assert "more@" not in office.node.out.getvalue()
    for accepted in sink.accepted:
        assert accepted.message["Bcc"] is None


async def test_a_mail_of_a_newer_policy_waits_for_a_newer_worker_and_is_parked_in_the_end(
    database: TestDatabase, declared: Declared
) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        await office.enqueue(database.account())
        database.execute("UPDATE outbox SET template = 'newsletter'")
        await office.send()
        assert office.states() == [("waiting", 1, "not_declared")]
        office.pass_time(days=6)
        await office.send()
        assert office.states() == [("parked", 2, "not_declared")]
    assert sink.accepted == []


async def test_values_that_became_unfit_are_not_sent(database: TestDatabase, declared: Declared) -> None:
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        await office.enqueue(database.account())
        database.execute("""UPDATE outbox SET "values" = '{"amount": "x"}'""")
        await office.send()
        assert office.states() == [("waiting", 1, "not_declared")]
    assert sink.accepted == []


async def test_the_outbox_of_an_erased_account_is_empty_and_holds_no_address_before(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account(email="canary@example.org")
    async with mail_server() as sink, post(declared, database, sink.port) as office:
        await office.enqueue(account)
        await office.send()
        row = database.value("SELECT outbox::text FROM outbox")
    assert "canary" not in row
    assert "$" not in row
    assert len(sink.accepted) == 1


def test_the_pauses_end_well_before_a_mail_is_old_news() -> None:
    assert sum(PAUSES, timedelta()) < AGE_MAX
    assert tuple(sorted(PAUSES)) == PAUSES
