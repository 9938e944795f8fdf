"""policy.yaml is edited after the service has run: generated anew, migrated on, started as an operator would."""

import asyncio
import json
import re
import sys
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.generate.emit import emit
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.policy.model import Policy
from crouter.policy.rules.surface import OWN_FOLDERS, OWN_PATHS
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.migrations import Origin, migrate
from crouter.runtime.database.pool import Database
from crouter.runtime.keys import KeyStore
from crouter.runtime.retention.run import rules_of
from crouter.runtime.server.pages import Pages
from crouter.runtime.server.probes import Probes
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.site import site_routes
from crouter.runtime.settings import read_settings
from crouter.simulator import Scripted, Simulator
from tests.behaviour.deployment import POLICY
from tests.behaviour.service import CREDIT_NANOUSD, UPSTREAM_KEY, Service, environment, message, until
from tests.behaviour.test_process import ROOT, process, started

# Without one of the measures, so that an edit can bring it.
TEXT = re.sub(r"^      web_fetch_requests: .*\n", "", POLICY.read_text(encoding="utf-8"), flags=re.MULTILINE)
Change = tuple[str, str]


@dataclass
class Edited:
    """A service of an edited policy, on a database that the policy before it made."""

    url: str
    key: str
    account: uuid.UUID
    dsn: str
    generated: Path
    simulator: Simulator

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}{path}", headers=headers) as answer:
            return answer.status, await answer.text()

    async def send(self, **headers: str) -> int:
        """A message; its status."""
        headers = {"x-api-key": self.key, "anthropic-version": "2023-06-01", **headers}
        url = f"{self.url}/v1/messages"
        async with aiohttp.ClientSession() as session, session.post(url, json=message(), headers=headers) as answer:
            await answer.read()
            return answer.status

    async def usage(self, count: int) -> list[dict[str, Any]]:
        """The rows of usage, once so many have come out of the service's journal. Raises TimeoutError."""
        await until(lambda: len(self.rows("usage")) >= count, 10)
        return self.rows("usage")

    def rows(self, table: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("crouter", table))).fetchall()


def edited_policy(*changes: Change) -> Policy:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, f"an edit has to fit exactly one place: {old}"
        text = text.replace(old, new)
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


async def _customer(deployment: Deployment, environ: dict[str, str]) -> tuple[uuid.UUID, str]:
    store = read_settings(deployment, environ).store
    database = Database(store, deployment.database_schema)
    await database.open()
    try:
        accounts = Accounts(deployment, database)
        account = await accounts.create("ada@example.org", "Ada", picture="https://example.org/ada.png")
        await accounts.credit(account, CREDIT_NANOUSD)
        return account, (await KeyStore(deployment, database, store).create(account)).key.reveal()
    finally:
        await database.close()


def _generate(policy: Policy, generated: Path, dsn: str) -> Deployment:
    emit(policy, generated)
    deployment = make_plan(policy).deployment
    migrate(dsn, generated / "database" / "migrations", Origin.of(deployment), plain_postgres=True)
    return deployment


@asynccontextmanager
async def running_with(folder: Path, dsn: str, *changes: Change) -> AsyncIterator[Edited]:
    """Generates the first policy, migrates, edits, generates, migrates, starts."""
    generated = folder / "generated"
    _generate(edited_policy(), generated, dsn)
    deployment = _generate(edited_policy(*changes), generated, dsn)
    simulator = Simulator(UPSTREAM_KEY, pace_s=0.0, record=True)
    async with simulator.serving() as upstream:
        environ = environment(dsn, upstream)
        account, key = await _customer(deployment, environ)
        async with process(generated, environ) as child:
            yield Edited(await started(child), key, account, dsn, generated, simulator)


@pytest.fixture
def empty_dsn(cluster: RunningCluster) -> str:
    """The address of a database of the test's own that nobody migrated."""
    return cluster.ensure_database(f"edited_{uuid.uuid4().hex}")


def after(beginning: str, line: str) -> Change:
    """An edit that adds a line below the one that begins so."""
    found = re.search(rf"^{re.escape(beginning)}.*\n", TEXT, re.MULTILINE)
    assert found
    return found[0], f"{found[0]}{line}\n"


A_MEASURE = after(
    "      web_search_requests: ",
    "      web_fetch_requests: {label: web fetch counts, type: count, purposes: [billing, dashboard], "
    "data_category: user.telemetry, dpv: ServiceConsumptionBehaviour}",
)
A_PICTURE = after(
    "      name: {label",
    "      picture: {label: picture, type: text, purposes: [dashboard], data_category: user.contact, dpv: Picture}",
)


async def test_fields_that_came_are_filled_from_requests_and_sign_ins(tmp_path: Path, empty_dsn: str) -> None:
    async with running_with(tmp_path, empty_dsn, A_MEASURE, A_PICTURE) as service:
        service.simulator.script(next=Scripted.message(usage={"server_tool_use": {"web_fetch_requests": 2}}))
        assert await service.send() == 200
        (usage,) = await service.usage(1)
        assert usage["web_fetch_requests"] == 2
        assert [row["picture"] for row in service.rows("account")] == ["https://example.org/ada.png"]
        assert "web fetch requests" not in (await service.get("/"))[1]
    assert len(list((service.generated / "database" / "migrations").glob("*.sql"))) == 2


async def test_a_lower_limit_refuses_the_third_request_and_the_page_says_it(tmp_path: Path, empty_dsn: str) -> None:
    async with running_with(tmp_path, empty_dsn, ("requests_per_minute: 50", "requests_per_minute: 2")) as service:
        assert [await service.send() for _ in range(3)] == [200, 200, 429]
        assert len(await service.usage(2)) == 2
        assert re.search(r"\b2\b[^0-9]{1,40}minute", (await service.get("/"))[1])


async def test_a_header_that_is_taken_out_no_longer_reaches_the_upstream(tmp_path: Path, empty_dsn: str) -> None:
    async with running_with(tmp_path, empty_dsn, ("dnt, sec-gpc,", "dnt, x-stainless-*, sec-gpc,")) as service:
        assert await service.send(**{"x-stainless-os": "canary-os", "anthropic-beta": "kept"}) == 200
        request = service.simulator.ledger[0].request
        assert request is not None
        assert request.header("x-stainless-os") is None
        assert request.header("anthropic-beta") == "kept"


async def test_a_new_contact_and_address_stand_on_every_page(tmp_path: Path, empty_dsn: str) -> None:
    changes = (
        ("contact: contact@crouter.dev", "contact: privacy@crouter.example"),
        ("office: none #", "office: 1 Main Street #"),
    )
    async with running_with(tmp_path, empty_dsn, *changes) as service:
        for path in ("/", "/privacy", "/privacy.md", "/privacy.txt", "/privacy.json"):
            status, text = await service.get(path)
            assert status == 200
            assert "privacy@crouter.example" in text
            assert "contact@crouter.dev" not in text
            assert path == "/" or "1 Main Street" in text


async def test_a_body_over_a_smaller_bound_is_refused(tmp_path: Path, empty_dsn: str) -> None:
    async with running_with(tmp_path, empty_dsn, ("body_bytes_max: 33554432", "body_bytes_max: 1024")) as service:
        assert await service.send() == 200
        headers = {"x-api-key": service.key, "anthropic-version": "2023-06-01"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{service.url}/v1/messages", json=message("x" * 1100), headers=headers) as answer,
        ):
            assert answer.status == 413


async def test_routes_are_those_of_the_policy_whatever_their_segments_are_called(
    tmp_path: Path, empty_dsn: str
) -> None:
    changes = (
        ('path: "/v1/models/{id}"', 'path: "/v1/models/{model_name}"'),
        ("    count_tokens: {method: POST, path: /v1/messages/count_tokens, metered: false}\n", ""),
    )
    async with running_with(tmp_path, empty_dsn, *changes) as service:
        key = {"x-api-key": service.key, "anthropic-version": "2023-06-01"}
        assert (await service.get("/v1/models/claude-haiku-4-5", **key))[0] == 200
        assert (await service.get("/v1/models/a/b", **key))[0] == 404
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{service.url}/v1/messages/count_tokens", json={}, headers=key) as answer,
        ):
            assert answer.status == 404


FEWER_FIELDS = (
    re.search(r"^  service: \{time: timestamp.*\n", TEXT, re.MULTILINE),
    re.search(r"^  retention: \{time: timestamp.*\n", TEXT, re.MULTILINE),
    re.search(r"^metrics:\n(  .*\n)+", TEXT, re.MULTILINE),
)


async def test_what_is_no_longer_declared_is_neither_logged_nor_counted_and_stops_nothing(
    tmp_path: Path, empty_dsn: str
) -> None:
    service_log, retention_log, metrics = (found[0] for found in FEWER_FIELDS if found)
    changes = (
        (service_log, "  service: {event: word}\n"),
        (retention_log, "  retention: {rule: word}\n"),
        (metrics, "metrics: {}\n"),
    )
    async with running_with(tmp_path, empty_dsn, *changes) as service:
        service.simulator.script(next=Scripted.message(usage={"something_new": 1}))
        assert await service.send() == 200
        assert await service.send(**{"x-api-key": "sk-wrong"}) == 401
        assert (await service.get("/nothing"))[0] == 404
        assert await service.get("/metrics") == (200, "")
        assert len(await service.usage(1)) == 1
        _, err, status = await retention(service, "run")
        assert status == 0, err
        policy = load(TEXT).policy
        assert policy is not None
        rules = [rule.name for rule in rules_of(make_plan(policy).deployment, None)]
        assert [json.loads(line) for line in err.splitlines()] == [{"rule": name} for name in rules]


async def retention(service: Edited, *arguments: str) -> tuple[str, str, int | None]:
    """`python -m generated.retention`, beside the running service."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "generated.retention", *arguments,
        env={"PYTHONPATH": f"{service.generated.parent}:{ROOT}", "DATABASE_URL": service.dsn},
        cwd=service.generated.parent, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        out, err = await child.communicate()
    return out.decode(), err.decode(), child.returncode


async def test_a_shorter_retention_removes_what_is_older_now(tmp_path: Path, empty_dsn: str) -> None:
    async with running_with(
        tmp_path, empty_dsn, ("of: [usage], keep: P12M, from", "of: [usage], keep: P6M, from")
    ) as service:
        assert await service.send() == 200
        await service.usage(1)
        insert = (
            "INSERT INTO crouter.usage (id, account_id, api_key_id, model, occurred_at)"
            " SELECT %s, account_id, api_key_id, 'claude', %s FROM crouter.usage LIMIT 1"
        )
        now = datetime.now(UTC)
        with psycopg.connect(service.dsn) as connection:
            for days in (214, 150):
                connection.execute(insert, (uuid.uuid4(), now - timedelta(days=days)))
        out, err, status = await retention(service, "run", "--rule", "usage")
        assert status == 0, err
        assert "removed 1 row" in out
        ages = sorted((now - row["occurred_at"]).days for row in await service.usage(1))
        assert ages[-1] == 150
        assert len(ages) == 2


async def test_without_the_purpose_there_is_no_dashboard(tmp_path: Path, empty_dsn: str) -> None:
    change = (
        "label: amount, type: nanousd, required: true, purposes: [billing, billing_notices, dashboard]",
        "label: amount, type: nanousd, required: true, purposes: [billing, billing_notices]",
    )
    async with running_with(tmp_path, empty_dsn, change) as service:
        assert await service.send() == 200
        assert (await service.get("/dashboard"))[0] == 404
        assert "/dashboard" not in (await service.get("/"))[1]


async def test_a_policy_may_do_without_edge_and_analytics(tmp_path: Path, empty_dsn: str) -> None:
    text = TEXT
    for block in (
        r"^  openpanel:\n(    .*\n)+",
        r"^  cloudflare:\n(    .*\n)+",
        r"^analytics:\n(  .*\n)+",
        r"^storage:\n(  .*\n)+",
        r"^  edge: .*\n",
        r"^      (processor-openpanel|processor-cloudflare|cookie-analytics|security-edge): .*\n",
    ):
        text = re.sub(block, "", text, flags=re.MULTILINE)
    text = text.replace("edge_worker, ", "")
    async with running_with(tmp_path, empty_dsn, (TEXT, text)) as service:
        assert await service.send() == 200
        assert "openpanel" not in (await service.get("/privacy"))[1].lower()
        assert not (service.generated / "edge").exists()


async def test_the_rules_know_what_the_service_answers_itself(service: Service) -> None:
    parts = service.running.parts
    own = {path for _, path in Pages(parts, SitePages(parts)).routes()}
    own |= {path for _, path, _ in Probes(parts).routes()}
    own -= {"/"}
    assert {path for path in own if not path.startswith("/.")} <= {*OWN_PATHS, *OWN_FOLDERS}
    # Patterns of the site are not enumerable; each begins with a page or a folder that the rules know.
    for route in site_routes(parts):
        known = (f"{re.escape(path)}(?![a-z-])" for path in (*OWN_PATHS, *OWN_FOLDERS))
        assert route.name == "home" or re.match("|".join(known), re.sub(r"\\(.)", r"\1", route.pattern.pattern)), (
            route.name
        )
