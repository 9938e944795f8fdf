"""What can happen to a request, one function for each kind of end; every one asserts that it really happened."""

import asyncio
import base64
import json
import secrets
from typing import Any

import psycopg

from crouter.runtime.proxy.authentication import ApiKeyFormat
from crouter.simulator import Hangup, Reset, Scripted, Stall, Wait
from tests.behaviour.service import until
from tests.privacy import content
from tests.privacy.malformed import malformed_requests
from tests.privacy.store import Store
from tests.privacy.world import Seen, World


async def answered(world: World) -> None:
    """Ordinary answers of every route."""
    plant = world.planting
    assert (await world.message("json", content.answer(plant("json")))).status == 200
    streamed = await world.message("stream", content.stream(plant("stream")), stream=True)
    assert streamed.body.count(b"event: ") == 12
    packed = content.stream(plant("gzip")).encoded("gzip")
    assert (await world.message("gzip", packed, stream=True)).body == packed.body
    # Not scripted: the simulator reads it, and says the prompt again.
    echoed = await world.message("echo", words="simulate: echo\n")
    assert world.canaries.mark.encode() in echoed.body
    bearer = {"authorization": f"Bearer {world.key}"}
    counting = content.request_body(plant("count")) | {"max_tokens": 5}
    reply = Scripted.json({"input_tokens": 7}, headers={"x-note": plant("count")("response_header")})
    path = "/v1/messages/count_tokens"
    assert (await world.ask("count", counting, path=path, auth=bearer, reply=reply)).status == 200
    assert (await world.ask("models", method="GET", path="/v1/models")).status == 200
    model = f"/v1/models/{plant('model')('path')}"
    assert (await world.ask("model", method="GET", path=model)).status == 404


async def refused(world: World) -> None:
    """Every answer of the service's own that a request can earn."""
    plant = world.planting
    for name, raw in (
        ("broken JSON", f'{{"model": "{content.MODEL}", "system": "{plant("broken JSON")("prompt")}"'),
        ("no object", f'["{plant("no object")("prompt")}"]'),
        ("no model", json.dumps({"messages": [{"role": "user", "content": plant("no model")("prompt")}]})),
        ("model twice", f'{{"model": "{plant("model twice")("model")}", "model": "{plant("model twice")("again")}"}}'),
        ("odd model", json.dumps({"model": {plant("odd model")("key"): plant("odd model")("value")}})),
        ("odd option", json.dumps({"model": content.MODEL, "service_tier": plant("odd option")("service_tier")})),
    ):
        assert (await world.ask(name, raw.encode())).status == 400, name
    no_text = b'{"model": "\xff' + plant("no text")("prompt").encode() + b'"}'
    assert (await world.ask("no text", no_text)).status == 400
    assert (await world.message("unpriced", model=plant("unpriced")("model"))).status == 400
    await _refused_keys(world)
    poor = {"x-api-key": world.poor_key}
    assert (await world.ask("no credit", content.request_body(plant("no credit")), auth=poor)).status == 402
    for method, path, status in (
        ("GET", f"/{plant('unknown')('path')}", 404),
        ("POST", f"/v1/{plant('unknown')('api_path')}", 404),
        ("POST", f"/v1/models/..%2F{plant('unknown')('escaped_path')}", 404),
        ("DELETE", "/v1/messages", 405),
        (plant("unknown")("method").upper(), "/v1/messages", 400),
    ):
        assert (
            await world.ask("unknown", plant("unknown")("body").encode(), method=method, path=path)
        ).status == status
    await _too_large(world)
    await _too_many(world)


async def _refused_keys(world: World) -> None:
    plant = world.planting("wrong key")
    invented = ApiKeyFormat().key(secrets.token_bytes(32)).reveal()
    world.canaries.watch("wrong key/well formed", invented)
    basic = base64.b64encode(f"user:{plant('basic')}".encode()).decode()
    for auth in (
        {},
        {"x-api-key": plant("x-api-key")},
        {"x-api-key": f"sk-cr-{plant('prefixed')}"},
        {"x-api-key": invented},
        {"authorization": f"Bearer {plant('bearer')}"},
        {"authorization": f"Basic {basic}"},
        {"authorization": plant("scheme")},
        {"x-api-key": world.key, "authorization": f"Bearer {plant('another')}"},
        {"x-api-key": world.key + plant("suffix")},
    ):
        assert (await world.ask("wrong key", content.request_body(plant), auth=auth)).status == 401
    # A key in the address is no key, and not to be told to anybody.
    in_address = f"/v1/messages?api_key={world.key}&x={plant('in_address')}"
    answer = await world.raw(f"POST {in_address} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert b" 401 " in answer.splitlines()[0]


async def _too_large(world: World) -> None:
    plant = world.planting("too large")
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {world.key}\r\n"
    declared = f"{head}content-length: 99999999\r\n\r\n{plant('declared')}"
    assert b" 413 " in (await world.raw(declared.encode(), answer_seconds=3)).splitlines()[0]
    piece = plant("chunked").encode() * 40_000
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    chunked = f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunk * (34_000_000 // len(piece) + 1)
    # The service may have answered and closed before everything was sent.
    answer = await world.raw(chunked, answer_seconds=10)
    assert not answer or b" 413 " in answer.splitlines()[0]


async def _too_many(world: World) -> None:
    body = content.request_body(world.planting("too many"))
    auth = {"x-api-key": world.busy_key}
    statuses = [(await world.ask("too many", b"{" + json.dumps(body).encode(), auth=auth)).status for _ in range(51)]
    assert statuses == [400] * 50 + [429]


async def _failing(world: World, name: str, reply: Scripted, **more: Any) -> Seen:
    """Asks once, and then another customer for an ordinary answer: three faults in a row rest the only key there is."""
    seen = await world.message(name, reply, **more)
    if seen.status == 429:
        await asyncio.sleep(1.1)
    ordinary = content.request_body(world.planting(f"after {name}"))
    after = await world.ask(f"after {name}", ordinary, auth={"x-api-key": world.other_key})
    assert after.status == 200, (name, after.status)
    return seen


async def upstream_failed(world: World) -> None:
    """What the upstream can do wrong, or say is wrong."""
    plant = world.planting
    for kind in ("invalid_request_error", "authentication_error", "rate_limit_error", "api_error", "overloaded_error"):
        reply = content.error(plant(kind), kind)
        seen = await _failing(world, kind, reply)
        assert (seen.status, seen.body) == (reply.status, reply.body)
    page = f"<html><h1>502 Bad Gateway</h1>{plant('page')('error')}</html>"
    assert (
        await _failing(world, "page", Scripted.raw(502, page.encode(), {"content-type": "text/html"}))
    ).status == 502
    seen = await _failing(
        world,
        "error event",
        content.stream(plant("error event"), content.error_event(plant("error event")), keep=4),
        stream=True,
    )
    assert b"overloaded_error" in seen.body
    for name, step in (("reset", Reset()), ("hangup", Hangup())):
        seen = await _failing(world, name, content.stream(plant(name), step, keep=6), stream=True)
        assert seen.ours or b'"api_error"' in seen.body, name
    truncated = content.answer(plant("truncated")).with_content_length(90_000)
    assert (await _failing(world, "truncated", truncated)).status == 502
    for name, raw in (
        ("no status", f"{plant('no status')('line')}\r\n\r\n"),
        ("bad header", f"HTTP/1.1 200 OK\r\n{plant('bad header')('name')} {plant('bad header')('value')}\r\n\r\n"),
        ("huge header", f"HTTP/1.1 200 OK\r\nx-a: {plant('huge header')('value') * 20_000}\r\n\r\n"),
        ("bad length", f"HTTP/1.1 200 OK\r\ncontent-length: {plant('bad length')('value')}\r\n\r\n"),
        ("bad chunk", f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{plant('bad chunk')('size')}\r\n"),
    ):
        assert (await _failing(world, name, Scripted.verbatim_http(raw.encode()))).status == 502, name
    not_packed = Scripted.raw(
        200, plant("bad gzip")("body").encode(), {"content-type": "application/json", "content-encoding": "gzip"}
    )
    assert (await _failing(world, "bad gzip", not_packed)).status == 200
    strange = {"output_tokens": 9, "service_tier": "strange tier", "server_tool_use": {"unheard_of": 3}, "new_count": 4}
    assert (await _failing(world, "strange usage", content.answer(plant("strange usage"), usage=strange))).status == 200
    elsewhere = Scripted.redirect(f"https://{plant('redirect')('host')}.example/{plant('redirect')('path')}")
    assert (await _failing(world, "redirect", elsewhere)).status == 307


async def clients_left(world: World) -> None:
    """Clients that go before their answer is complete, or before their request is."""
    plant = world.planting
    async with world.open_stream("left", content.stream(plant("left"), Stall(), keep=6)):
        pass
    await world.simulator.ledger.settled(5)
    assert world.simulator.ledger[-1].outcome == "client_left"
    body = json.dumps(content.request_body(plant("upload"))).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {world.key}\r\ncontent-length: {2 * len(body)}\r\n\r\n"
    early = await world.raw(head.encode() + body, answer_seconds=0.2)
    assert early == b"", early
    waiting = json.dumps(content.request_body(plant("waiting"))).encode()
    world.simulator.script(next=content.stream(plant("waiting"), before=(Wait(30),)))
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {world.key}\r\nanthropic-version: 2023-06-01\r\n"
    await world.raw(f"{head}content-length: {len(waiting)}\r\n\r\n".encode() + waiting, answer_seconds=0.4)
    await world.simulator.ledger.settled(5)
    assert world.simulator.ledger[-1].outcome == "client_left"


async def malformed(world: World) -> None:
    """What is no HTTP."""
    requests = malformed_requests(world.planting("malformed"), world.key)
    answers = await asyncio.gather(*(world.raw(data) for data in requests.values()))
    for name, answer in zip(requests, answers, strict=True):
        assert world.canaries.mark.encode() not in answer, name
        assert not answer or answer.split(b" ", 2)[1][:1] in (b"3", b"4"), name


async def database_refuses(world: World) -> None:
    """A record that the database does not take: its error quotes the whole row."""
    with psycopg.connect(world.dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE crouter.usage ADD CONSTRAINT planted CHECK (input_tokens < 0) NOT VALID")
        try:
            seen = await world.message("refused row", content.answer(world.planting("refused row")))
        finally:
            connection.execute("ALTER TABLE crouter.usage DROP CONSTRAINT planted")
    assert seen.status == 503


async def database_away(world: World, store: Store) -> None:
    """The database's server ends during a stream, a request comes meanwhile, and the server starts again."""
    plant = world.planting
    pause = content.stream(plant("away"), Wait(0.8), *content.stream(plant("away")).steps[6:], keep=6)
    asked = asyncio.create_task(world.message("away", pause, stream=True))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(store.stop)
    try:
        invented = ApiKeyFormat().key(secrets.token_bytes(32)).reveal()
        auth = {"x-api-key": world.canaries.watch("away/key", invented)}
        seen = await world.ask("away", content.request_body(plant("away")), auth=auth)
        assert seen.status == 503
    finally:
        await asyncio.to_thread(store.start)
    assert (await asked).status == 200

    async def is_ready() -> bool:
        async with world.session.get(f"{world.url}/readyz") as answer:
            return answer.status == 200

    await until(is_ready, 15)


async def crashed(world: World) -> None:
    """Failures within the service whose words quote the request or the answer; for the planted service."""
    plant = world.planting
    seen = await world.message("crash", words="crash:request ")
    assert (seen.status, seen.ours) == (500, True)
    reply = content.stream(plant("crashed answer"), b": crash:answer\n\n", keep=6)
    seen = await world.message("crashed answer", reply, stream=True)
    assert (seen.status, seen.whole) == (200, False)
    assert (await world.message("noise", content.answer(plant("noise")), words="crash:noise ")).status == 200
