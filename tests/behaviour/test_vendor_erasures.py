"""Deletions carried out at the vendors' own clients' other end: what Supabase and Stripe hold, and when they fail."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from crouter.contract.deployment import Deployment
from crouter.runtime.erasure.job import carry_on
from crouter.runtime.retention.options import RetentionOptions
from crouter.runtime.retention.run import run_retention
from tests.behaviour.rights import Office, make_account, office
from tests.contract.stripe.server import StripeServer
from tests.contract.stripe.shop import stripe_environment
from tests.contract.supabase_auth.people import GoogleAccount, User
from tests.contract.supabase_auth.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseAuth

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Vendors:
    """Both vendors, each with two people, and the desk from which one of them is deleted."""

    desk: Office
    supabase: SupabaseAuth
    stripe: StripeServer
    gone: uuid.UUID
    stays: uuid.UUID

    def steps(self) -> dict[str, dict[str, Any]]:
        return {row["processor"]: row for row in self.desk.rows("erasure_step")}

    def held(self) -> tuple[set[uuid.UUID], set[str]]:
        """Who signs in at Supabase, and the addresses of Stripe's customers."""
        return set(self.supabase.users), {customer["email"] for customer in self.stripe.account.all("customer")}

    async def delete(self) -> uuid.UUID:
        """Asks for the deletion, and has it carried out here."""
        begun = await self.desk.rights.deletions.begin(self.gone, "page", "no_credit", self.desk.clock[0])
        self.desk.clock[0] += timedelta(days=7, minutes=1)
        options = RetentionOptions(rule="deletion", as_of=self.desk.clock[0], allow_future=True, share_percent_max=100)
        (result,) = await asyncio.to_thread(run_retention, self.desk.dsn, self.desk.deployment, options)
        assert result.outcome == "complete", result
        return begun.id


@pytest_asyncio.fixture(loop_scope="module")
async def vendors(deployment: Deployment, generated: Path, dsn: str, tmp_path: Path) -> AsyncIterator[Vendors]:
    supabase = SupabaseAuth()
    async with supabase.serving() as url, StripeServer().serving() as stripe:
        environ = {
            "CROUTER_TOMBSTONES": str(tmp_path / "tombstones"),
            "CROUTER_TOMBSTONE_KEYS": "1:dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=",
            "CROUTER_SUPABASE_URL": url,
            "CROUTER_SUPABASE_KEY": PUBLISHABLE_KEY,
            "CROUTER_SUPABASE_SECRET_KEY": SECRET_KEY,
            **stripe_environment(stripe),
        }
        async with office(deployment, generated, dsn, environ) as desk:
            assert desk.rights.tombstones is not None
            desk.rights.tombstones.begin()
            accounts = []
            for name in ("gone", "stays"):
                account = await make_account(desk, f"{name}@example.org", name)
                supabase.users[account] = User(GoogleAccount(name, f"{name}@example.org"), account)
                customer = stripe.account.make_customer({"email": f"{name}@example.org"})
                with psycopg.connect(dsn) as connection:
                    connection.execute(
                        "INSERT INTO crouter.payment_profile (id, account_id, customer, automatic, failures)"
                        " VALUES (%s, %s, %s, 'off', 0)",
                        (uuid.uuid4(), account, customer["id"]),
                    )
                accounts.append(account)
            yield Vendors(desk, supabase, stripe, *accounts)


@pytest.mark.claim("right-erasure")
async def test_right_erasure__a_deleted_person_is_gone_at_every_vendor_and_nobody_else_is(vendors: Vendors) -> None:
    deletion = await vendors.delete()
    assert len(vendors.held()[0]) == 2, "vendors are asked when the deletion can no longer be taken back"
    await carry_on(vendors.desk.context)
    assert vendors.held() == ({vendors.stays}, {"stays@example.org"})
    steps = vendors.steps()
    assert {name: (step["state"], step["pointer"]) for name, step in steps.items()} == {
        name: ("done" if name in ("supabase", "stripe") else "nothing_held", None) for name in steps
    }
    (erasure,) = vendors.desk.rows("erasure")
    assert (erasure["id"], erasure["state"]) == (deletion, "done")


@pytest.mark.claim("right-erasure")
async def test_right_erasure__a_vendor_that_answers_500_keeps_its_step_open_until_it_confirms(
    vendors: Vendors,
) -> None:
    desk = vendors.desk
    await vendors.delete()
    vendors.supabase.is_failing = True
    vendors.stripe.fail("DELETE", "/v1/customers/", status=500, times=100)
    for attempts in (1, 2):
        await carry_on(desk.context)
        steps = vendors.steps()
        for name in ("supabase", "stripe"):
            step = steps[name]
            assert (step["state"], step["error"], step["attempts"]) == ("waiting", "away", attempts)
            assert step["pointer"] is not None
        assert [row["state"] for row in desk.rows("erasure")] == ["erased"]
        desk.clock[0] += timedelta(hours=1)
    assert len(vendors.held()[0]) == len(vendors.held()[1]) == 2
    assert "gone@example.org" not in desk.out.getvalue()
    vendors.supabase.is_failing = False
    vendors.stripe.failures.clear()
    await carry_on(desk.context)
    assert vendors.held() == ({vendors.stays}, {"stays@example.org"})
    assert [row["state"] for row in desk.rows("erasure")] == ["done"]
    assert str(vendors.gone) not in str(desk.rows("erasure") + desk.rows("erasure_step"))
