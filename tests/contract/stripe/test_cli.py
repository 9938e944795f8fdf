"""The official Stripe CLI takes the contract server for Stripe, and finds what it expects there."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.contract.stripe.server import KEY, StripeServer

ROOT = Path(__file__).resolve().parents[3]
# The package beside it that chooses one by platform is not locked: not every platform has one.
CLI = ROOT / "node_modules" / "@stripe" / "cli-linux-x64" / "bin" / "stripe"


async def stripe(server: StripeServer, home: Path, *arguments: str) -> Any:
    """Runs the CLI; what it prints, as JSON."""
    if not CLI.exists():
        pytest.skip("NOT TESTED with the Stripe CLI: npm has not installed it")
    process = await asyncio.create_subprocess_exec(
        str(CLI),
        *arguments,
        *("--api-base", server.url, "--api-key", KEY),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "STRIPE_CLI_TELEMETRY_OPTOUT": "true"},
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()[-500:]
    return json.loads(out)


async def test_the_official_cli_makes_customers_payments_and_refunds(tmp_path: Path) -> None:
    async with StripeServer().serving() as server:
        customer = await stripe(server, tmp_path, "customers", "create", "--email", "ada@example.org")
        assert server.account.find("customer", customer["id"])["email"] == "ada@example.org"
        paid = await stripe(
            server,
            tmp_path,
            *("post", "/v1/payment_intents", "-d", "amount=2500", "-d", "currency=usd", "-d", "confirm=true"),
            *("-d", f"customer={customer['id']}", "-d", "payment_method=pm_card_visa"),
        )
        assert (paid["status"], paid["amount_received"]) == ("succeeded", 2500)
        refund = await stripe(server, tmp_path, "refunds", "create", "--payment-intent", paid["id"], "--amount", "500")
        assert refund["amount"] == 500
        moved = await stripe(server, tmp_path, "get", "/v1/balance_transactions", "-d", "limit=10")
        assert sorted(item["amount"] for item in moved["data"]) == [-500, 2500]
        assert sum(item["net"] for item in moved["data"]) == server.account.balance()
