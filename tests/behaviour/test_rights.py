"""The rights of a person on a running service: a copy, corrections, a deletion with everything that comes with it."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import jsonschema
import pytest
import pytest_asyncio

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.copies.contents import copied_records
from crouter.runtime.copies.job import make_copies
from crouter.runtime.erasure.job import carry_on, warn
from crouter.runtime.erasure.receipt import verify_deletion
from crouter.runtime.receipts.keys import read_key_set
from crouter.runtime.requests import states
from crouter.runtime.requests.watching import Waiting
from crouter.runtime.retention.options import RetentionOptions
from crouter.runtime.retention.run import run_retention
from tests.behaviour.rights import Office, Person, make_account, office, signed_in
from tests.behaviour.service import Service, message, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = "/account/privacy"


@dataclass
class World:
    service: Service
    office: Office
    http: aiohttp.ClientSession


@pytest_asyncio.fixture(loop_scope="module")
async def world(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str, dsn: str, tmp_path: Path
) -> AsyncIterator[World]:
    tombstones = {
        "CROUTER_TOMBSTONES": str(tmp_path / "tombstones"),
        "CROUTER_TOMBSTONE_KEYS": "1:dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=",
    }
    async with (
        office(deployment, generated, dsn, tombstones) as desk,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        assert desk.rights.tombstones is not None
        desk.rights.tombstones.begin()
        async with serving(deployment, dsn, generated, show_dashboard=True, **tombstones) as service:
            yield World(service, desk, http)


async def ask(world: World, *, stream: bool = False) -> None:
    async with world.http.post(
        f"{world.service.url}/v1/messages", json=message(stream=stream), headers=world.service.headers()
    ) as answer:
        assert answer.status == 200
        await answer.read()


async def take(person: Person) -> tuple[int, bytes]:
    page = await person.page(PAGE)
    path = page.partition('action="/account/privacy/copies/')[2].partition('"')[0]
    status, _, body = await person.send(f"{PAGE}/copies/{path}")
    return status, body


@pytest.mark.claim("right-access")
async def test_right_access__a_copy_has_every_declared_field_of_one_person_and_is_taken_once(world: World) -> None:
    desk = world.office
    person = await signed_in(world.service, world.http)
    other = await make_account(desk, "canary-of-another@example.org", "Canary Another")
    await ask(world)
    await world.service.settled("usage")
    assert (await person.send(f"{PAGE}/copies"))[0] == 303
    assert (await person.send(f"{PAGE}/copies"))[0] == 303
    assert len(desk.rows("data_copy")) == 1
    await make_copies(desk.context)
    assert [row["state"] for row in desk.rows("data_request")] == ["answered"]
    status, body = await take(person)
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        data, schema = (json.loads(archive.read(name)) for name in ("data.json", "schema.json"))
        names = archive.namelist()
        page = archive.read("index.html").decode()
        tables = {
            name: list(csv.reader(io.StringIO(archive.read(f"csv/{name}.csv").decode())))
            for name in data
            if name[0] != "$"
        }
    jsonschema.validate(data, schema, format_checker=jsonschema.FormatChecker())
    deployment = desk.deployment
    told = {(record.name, field.name) for record in deployment.records for field in record.fields if field.personal}
    told -= {("api_key", "sealed")}
    assert told <= {
        (name, field)
        for name in schema["properties"]
        for field in schema["properties"][name].get("items", {}).get("properties", {})
    }
    for copied in copied_records(deployment):
        columns = [field.name for field in copied.columns]
        assert tables[copied.name][0] == columns
        assert len(tables[copied.name]) - 1 == len(data[copied.name])
        assert all(list(row) == columns for row in data[copied.name])
    assert data["account"][0]["email"] == "ada@example.org"
    assert data["usage"][0]["model"]
    assert data["api_key"][0]["last_four"] == world.service.key[-4:]
    assert "ada@example.org" in page
    whole = json.dumps(data) + page
    assert world.service.key not in whole
    assert "canary-of-another" not in whole
    assert str(other) not in whole
    assert {"data.json", "schema.json", "index.html"} <= set(names)
    # Once: what is left opens for nobody.
    path = str(desk.rows("data_copy")[0]["id"])
    assert (await person.send(f"{PAGE}/copies/{path}"))[0] == 404
    assert desk.rows("data_copy")[0]["opener"] is None


@pytest.mark.claim("collect-request", by=("declared_columns", "request_register"))
async def test_collect_request__an_objection_is_acknowledged_at_once_and_keeps_no_words(world: World) -> None:
    desk = world.office
    person = await signed_in(world.service, world.http)
    for _ in range(2):
        assert (await person.send(f"{PAGE}/objection", words="canary"))[0] == 303
    (row,) = desk.rows("data_request")
    assert set(row) == set(desk.deployment.record("data_request").field_names)
    assert (row["kind"], row["state"], row["acknowledged_at"]) == ("objection", "acknowledged", row["received_at"])
    assert "canary" not in str(row)
    assert "answered by" in await person.page(PAGE)


@pytest.mark.claim("right-deadline")
async def test_right_deadline__a_late_request_is_told_counted_and_turns_its_sentence_red(world: World) -> None:
    desk, service = world.office, world.service
    request = await desk.rights.requests.opened(service.account, "objection", "contact", desk.clock[0])
    told = []
    for day in (request.due_at - timedelta(days=8), request.due_at - timedelta(days=1), request.due_at):
        desk.clock[0] = day
        for _ in range(2):
            await warn(desk.context)
        told.append([json.loads(line)["event"] for line in desk.out.getvalue().splitlines()])
    assert told[0] == []
    assert told[1] == ["privacy_requests_due"]
    assert told[2] == ["privacy_requests_due", "privacy_requests_late"]
    waiting = Waiting(desk.deployment, desk.database, service.running.parts.heartbeat)
    await waiting.look(request.due_at)
    assert waiting.requests == {"open": 1, "due_soon": 1, "late": 1}
    async with world.http.get(f"{service.url}/privacy/proof", headers={"accept": "application/json"}) as answer:
        claims = {claim["id"]: claim for section in (await answer.json())["sections"] for claim in section["claims"]}
    assert {sentence["state"] for sentence in claims["right-deadline"]["sentences"]} == {"late"}
    await desk.rights.requests.move(request.id, lambda found: states.answered(found, desk.clock[0]))
    await waiting.look(request.due_at)
    assert service.running.parts.heartbeat.overdue == frozenset()


async def test_a_copy_of_another_account_is_404_and_stays_there_for_its_owner(world: World) -> None:
    desk = world.office
    person = await signed_in(world.service, world.http)
    other = await make_account(desk, "bob@example.org", "Bob")
    async with desk.database.transaction() as connection:
        request = await desk.rights.requests.open(connection, other, "copy", "page", desk.clock[0])
        copy, _ = await desk.rights.copies.ask(connection, other, request.id, desk.clock[0])
    await make_copies(desk.context)
    assert (await person.send(f"{PAGE}/copies/{copy}"))[0] == 404
    assert [row["state"] for row in desk.rows("data_copy")] == ["ready"]


@pytest.mark.claim("right-rectification", by="request_register")
async def test_right_rectification__a_corrected_name_is_kept_and_the_request_is_recorded(world: World) -> None:
    person = await signed_in(world.service, world.http)
    assert (await person.send(f"{PAGE}/name", name="Ada Lovelace"))[0] == 303
    assert [row["name"] for row in world.office.rows("account")] == ["Ada Lovelace"]
    (request,) = world.office.rows("data_request")
    assert (request["kind"], request["state"]) == ("correction", "answered")
    assert (await person.send(f"{PAGE}/name", name="a\nb"))[0] == 400
    assert [row["name"] for row in world.office.rows("account")] == ["Ada Lovelace"]


async def test_a_deletion_ends_sign_in_keys_and_copies_at_once_and_can_be_taken_back(world: World) -> None:
    desk, service = world.office, world.service
    person = await signed_in(service, world.http)
    await person.send(f"{PAGE}/copies")
    await make_copies(desk.context)
    assert (await person.send(f"{PAGE}/delete", sure="yes"))[0] == 400, "there is credit left"
    status, where, _ = await person.send(f"{PAGE}/delete", sure="yes", give_up="yes")
    assert (status, where[:18]) == (303, "/account/deletion/")
    async with world.http.get(f"{service.url}{PAGE}", headers=person.headers, allow_redirects=False) as answer:
        assert answer.headers["location"].startswith("/sign-in")
    await until(lambda: key_is_dead(world))
    assert [(row["state"], row["opener"]) for row in desk.rows("data_copy")] == [("failed", None)]
    again = await desk.rights.deletions.begin(service.account, "page", "given_up", desk.clock[0])
    assert not again.is_new
    assert desk.rights.links.page(again.id) == where
    async with world.http.get(f"{service.url}{where}") as answer:
        text = await answer.text()
    assert "Take it back" in text
    async with world.http.post(f"{service.url}{where}", data={}, headers={"sec-fetch-site": "cross-site"}) as answer:
        assert answer.status == 403
    async with world.http.post(f"{service.url}{where}", data={}, headers={"sec-fetch-site": "same-origin"}) as answer:
        assert answer.status == 200
    assert desk.rows("account")[0]["deletion_requested_at"] is None
    assert (await signed_in(service, world.http)).cookie
    for changed in (where[:-1] + ("0" if where[-1] != "0" else "1"), where + "00"):
        async with world.http.get(f"{service.url}{changed}") as answer:
            assert answer.status == 404


async def key_is_dead(world: World) -> bool:
    async with world.http.post(
        f"{world.service.url}/v1/messages", json=message(), headers=world.service.headers()
    ) as answer:
        return answer.status == 401


async def test_a_deletion_breaks_off_a_stream_that_runs_and_charges_what_was_reported(world: World) -> None:
    service = world.service
    service.simulator._pace_s = 0.2
    async with world.http.post(
        f"{service.url}/v1/messages", json=message("Hello " * 200, stream=True), headers=service.headers()
    ) as answer:
        assert answer.status == 200
        await answer.content.readany()
        await world.office.rights.deletions.begin(service.account, "page", "given_up", world.office.clock[0])
        async with asyncio.timeout(5):
            rest = await answer.read()
    assert b"authentication_error" in rest
    assert len(await service.settled("usage")) == 1


@pytest.mark.claim("right-erasure")
async def test_right_erasure__a_finished_deletion_is_shown_with_its_receipt(world: World) -> None:
    desk, service = world.office, world.service
    await ask(world)
    await service.settled("usage")
    await service.accounts.credit(service.account, 1, "top_up")
    begun = await desk.rights.deletions.begin(service.account, "page", "given_up", desk.clock[0])
    desk.clock[0] += timedelta(days=8)
    await asyncio.to_thread(
        run_retention,
        desk.dsn,
        desk.deployment,
        RetentionOptions(rule="deletion", as_of=desk.clock[0], allow_future=True),
    )
    await carry_on(desk.context)
    (erasure,) = desk.rows("erasure")
    assert (erasure["state"], erasure["account"]) == ("done", None)
    assert erasure["kept_until"].year == desk.clock[0].year + 10
    assert [row["email"] for row in desk.rows("account")] == [None]
    where = desk.rights.links.page(begun.id)
    async with world.http.get(f"{service.url}{where}") as answer:
        assert "The signed receipt" in await answer.text()
    async with world.http.get(f"{service.url}{where}/receipt") as answer:
        receipt = await answer.text()
    async with world.http.get(f"{service.url}/.well-known/jwks.json") as answer:
        keys = read_key_set(await answer.read())
    claims = verify_deletion(receipt, keys).claims
    assert claims["jti"] == str(begun.id)
    assert {step["name"] for step in claims["processors"]} == {"stripe", "supabase", "openpanel"}
    assert str(service.account) not in json.dumps(claims)
