"""What can happen to message batches and chat completions; every scenario asserts that it really happened."""

import json
from typing import Any

import psycopg

from crouter.simulator import Reset, Scripted, Send
from tests.behaviour.service import until
from tests.privacy import content
from tests.privacy.world import World

BATCHES = "/v1/messages/batches"


async def batched(world: World) -> None:
    """The life of a batch: refused, made, looked at, read, deleted, asked for by somebody else."""
    plant, custom_id = world.planting("batch"), world.planting("batch")("custom_id")
    entry = {"custom_id": custom_id, "params": content.request_body(plant, words="simulate: echo\n")}
    unpriced = {"custom_id": plant("refused_id"), "params": content.request_body(plant, model=plant("model"))}
    for refused in ([entry, unpriced], [entry, entry]):
        assert (await world.ask("batch", {"requests": refused}, path=BATCHES)).status == 400
    made = await world.ask("batch", {"requests": [entry]}, path=BATCHES)
    assert made.status == 200
    batch = f"{BATCHES}/{json.loads(made.body)['id']}"
    for _ in range(3):
        assert (await world.ask("batch", method="GET", path=batch)).status == 200
    assert (await world.ask("batch", method="GET", path=BATCHES)).status == 200
    results = await world.ask("batch", method="GET", path=f"{batch}/results")
    assert custom_id.encode() in results.body
    assert world.canaries.mark.encode() in results.body
    other = {"x-api-key": world.poor_key}
    assert (await world.ask("batch", method="GET", path=f"{batch}/results", auth=other)).status == 404
    assert (await world.ask("batch", method="POST", path=f"{BATCHES}/{plant('id')}/cancel")).status == 404
    broken = content.error(plant, "api_error")
    assert (await world.ask("batch", method="GET", path=f"{batch}/results", reply=broken)).status == 500
    assert (await world.ask("batch", {}, method="DELETE", path=batch)).status == 200


async def unread(world: World) -> None:
    """A batch that nobody reads: the service does, breaks off as the upstream does, and reads it once more."""
    plant = world.planting("unread batch")
    entries = [
        {"custom_id": plant(f"custom_id/{number}"), "params": content.request_body(plant, words="simulate: echo\n")}
        for number in range(3)
    ]
    made = await world.ask("unread batch", {"requests": entries}, path=BATCHES)
    name = json.loads(made.body)["id"]
    for _ in range(3):
        assert (await world.ask("unread batch", method="GET", path=f"{BATCHES}/{name}")).status == 200
    lines = world.simulator.batches.results(name)
    assert isinstance(lines, bytes)
    assert world.canaries.mark.encode() in lines
    world.simulator.script(next=Scripted.json({"processing_status": "ended"}))
    world.simulator.script(next=Scripted.stream([Send(lines[:-9]), Reset(0.2)]))
    with psycopg.connect(world.dsn) as connection:
        old = "UPDATE crouter.batch SET created_at = created_at - interval '26 days' WHERE upstream_id = %s"
        connection.execute(old, (name,))

    def is_billed() -> bool:
        with psycopg.connect(world.dsn) as connection:
            settled = "SELECT settled_at IS NOT NULL FROM crouter.batch WHERE upstream_id = %s"
            return connection.execute(settled, (name,)).fetchone() == (True,)

    await until(is_billed, 20)
    assert world.simulator.scripted_left == 0


async def completed(world: World) -> None:
    """Chat completions, whole, streamed and refused, and what is not offered."""
    plant = world.planting("completion")
    words = plant("prompt")
    prompt = [{"role": "user", "content": f"simulate: echo\n{words}"}]
    wishes: tuple[dict[str, Any], ...] = (
        {},
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": True}},
    )
    for more in wishes:
        body: dict[str, Any] = {"model": content.MODEL, "messages": prompt, **more}
        seen = await world.ask("completion", body, path="/v1/chat/completions")
        assert seen.status == 200
        assert words.encode() in seen.body
    shared = [{"role": "user", "content": [{"type": "file", "file": {"file_id": plant("file_id")}}]}]
    for body in ({"model": content.MODEL, "messages": shared}, {"model": plant("model"), "messages": prompt}):
        assert (await world.ask("completion", body, path="/v1/chat/completions")).status == 400
    files = f"/v1/files/{plant('file')}"
    assert (await world.ask("completion", plant("upload").encode(), path=files)).status == 403
