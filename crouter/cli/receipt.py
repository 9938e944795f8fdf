"""`crouter receipt verify`: judges a receipt without its service, and says in words what it says.

Nothing is fetched: the receipt and the key set are files, so that the judgement is the reader's own.
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from crouter.cli.amounts import dollars
from crouter.cli.groups import TRYING, group
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.terminal import Terminal
from crouter.runtime.erasure.receipt import KIND as DELETION
from crouter.runtime.erasure.receipt import VerifiedDeletion, verify_deletion
from crouter.runtime.receipts.claims import leaves
from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.jws import kind_of_token
from crouter.runtime.receipts.keys import read_key_set
from crouter.runtime.receipts.verify import VerifiedReceipt, verify

_BYTES_MAX = 1024 * 1024
_LABEL_COLUMNS = 10


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    receipts = group("Receipts: what one request used and cost, signed by the service.")
    receipts.callback()(_receipts)
    receipts.command("verify")(verify_receipt)
    app.add_typer(receipts, name="receipt", rich_help_panel=TRYING)


def _receipts() -> None:
    """Receipts: what one request used and cost, signed by the service."""


def verify_receipt(
    receipt: Annotated[str, typer.Argument(metavar="FILE", help="The receipt; - reads standard input.")],
    keys: Annotated[Path, typer.Option("--keys", help="The service's public keys: its /.well-known/jwks.json.")],
    issuer: Annotated[
        str, typer.Option("--issuer", help="Whose receipt it has to be; the one that the keys name unless given.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Verify a receipt without its service: of a request, whose cost is computed again, or of a deletion.

    Exits with 0 if it is genuine and its cost follows from its rates, with 1 otherwise.
    """
    terminal = Terminal()
    text, key_set = _read(receipt), _read(str(keys))
    try:
        told, known = text.decode("ascii", "replace").strip(), read_key_set(key_set)
        if kind_of_token(told) == DELETION:
            return _tell_deletion(terminal, verify_deletion(told, known, issuer), json=json)
        found = verify(told, known, issuer)
    except ReceiptRefusedError as refusal:
        if not json:
            raise FailureError(f"this is no receipt to rely on: {refusal}") from None
        terminal.json({"verified": False, "reason": str(refusal)})
        raise typer.Exit(Status.REFUSED) from None
    if json:
        terminal.json(_facts(found))
    else:
        for label, words in _told(found):
            terminal.line(f"{label:<{_LABEL_COLUMNS}}{words}")
    if not found.cost_agrees:
        raise typer.Exit(Status.REFUSED)


def _tell_deletion(terminal: Terminal, found: VerifiedDeletion, *, json: bool) -> None:
    claims = found.claims
    if json:
        return terminal.json({"verified": True, "claims": claims})
    lines = [
        ("genuine", f"signed by {claims['iss']}, and unaltered"),
        ("deletion", claims["jti"]),
        ("asked", _moment(claims["asked_at"])),
        ("gone here", _moment(claims["erased_at"])),
        *(("processor", f"{step['name']}: {step['state']}, {_moment(step['at'])}") for step in claims["processors"]),
        ("all gone", _moment(claims["ended_at"])),
    ]
    if "kept_until" in claims:
        lines.append(("kept", f"what a law requires, until {_moment(claims['kept_until'])}"))
    for label, words in lines:
        terminal.line(f"{label:<{_LABEL_COLUMNS}}{words}")
    return None


def _read(name: str) -> bytes:
    try:
        data = sys.stdin.buffer.read(_BYTES_MAX + 1) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise FailureError(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > _BYTES_MAX:
        raise FailureError(f"{name} is larger than any receipt or key set")
    return data


def _facts(found: VerifiedReceipt) -> dict[str, Any]:
    return {
        "verified": True,
        "cost_agrees": found.cost_agrees,
        "recomputed_nanousd": found.recomputed_nanousd,
        "differences": [
            {"count": count, "reported": reported, "charged": charged} for count, reported, charged in found.differences
        ],
        "claims": found.claims,
    }


def _told(found: VerifiedReceipt) -> Iterator[tuple[str, str]]:
    claims = found.claims
    yield "genuine", f"signed by {claims['iss']}, and unaltered"
    yield "request", claims["jti"]
    if "occurred_at" in claims:
        yield "when", _moment(claims["occurred_at"])
    if "model" in claims:
        tier = f", service tier {claims['service_tier']}" if "service_tier" in claims else ""
        yield "model", f"{claims['model']}{tier}"
    yield "reported", _listed(dict(leaves(claims["usage"])))
    if claims.get("further_counts"):
        yield "further", _listed(claims["further_counts"])
    for line in found.charged:
        product = dollars(line.quantity * line.nanousd_each)
        yield "charged", f"{line.quantity:,} {line.count} at {line.nanousd_each:,} nanodollars: {product}"
    for count, reported, charged in found.differences:
        yield "note", _difference(count, reported, charged)
    yield "cost", f"{dollars(claims['cost_nanousd'])}{_recomputed(found)}"
    if "price_version" in claims:
        yield "prices", f"version {claims['price_version']}"
    if "policy_digest" in claims:
        yield "policy", f"digest {claims['policy_digest']}"


def _recomputed(found: VerifiedReceipt) -> str:
    if found.recomputed_nanousd is None:
        return "; it states no rates to compute it again from"
    if found.cost_agrees:
        return "; computed again from the lines above, it is the same"
    return f"; THE LINES ABOVE GIVE {dollars(found.recomputed_nanousd)} INSTEAD"


def _difference(count: str, reported: int, charged: int) -> str:
    if charged < reported:
        return f"{charged:,} of {reported:,} {count} were charged"
    return (
        f"{charged:,} {count} were charged and {reported:,} reported: further samplings of the answer are charged, too"
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing"


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return text
