"""Real clients against the simulator: the `anthropic` SDK and Claude Code."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import claude_agent_sdk
import httpx2
import pytest
from anthropic.types import MessageParam, ToolParam

import crouter
from crouter.simulator import Reset, Scripted, Simulator
from crouter.simulator.models import MODELS

MODEL = "claude-haiku-4-5"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CLAUDE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=simulator.upstream_key, base_url=simulator.url, max_retries=0) as made:
        yield made


def user(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


async def test_the_synchronous_sdk_gets_a_message(simulator: Simulator) -> None:
    def call() -> anthropic.types.Message:
        with anthropic.Anthropic(api_key=simulator.upstream_key, base_url=simulator.url) as made:
            return made.messages.create(model=MODEL, max_tokens=300, messages=user("hi"))

    message = await asyncio.to_thread(call)
    assert (message.role, message.stop_reason) == ("assistant", "end_turn")
    assert message.model == "claude-haiku-4-5-20251001"
    assert message.content[0].type == "text"
    assert message.usage.input_tokens > 0
    assert message.usage.cache_creation is not None
    assert message.usage.service_tier == "standard"


async def test_the_synchronous_sdk_streams(simulator: Simulator) -> None:
    def call() -> tuple[str, str]:
        with (
            anthropic.Anthropic(api_key=simulator.upstream_key, base_url=simulator.url) as made,
            made.messages.stream(model=MODEL, max_tokens=300, messages=user("hi")) as stream,
        ):
            return "".join(stream.text_stream), stream.get_final_text()

    streamed, final = await asyncio.to_thread(call)
    assert streamed == final
    assert "simulated answer" in final


async def test_a_stream_accumulates_to_the_message_without_a_stream(
    simulator: Simulator, client: anthropic.AsyncAnthropic
) -> None:
    ask = user("simulate: web_search 2")
    async with client.beta.messages.stream(
        model=MODEL,
        max_tokens=2000,
        messages=[{"role": "user", "content": "simulate: web_search 2"}],
        thinking={"type": "enabled", "budget_tokens": 1024},
    ) as stream:
        kinds = {event.type async for event in stream}
        streamed = (await stream.get_final_message()).model_dump(include={"content", "stop_reason", "usage"})
    whole = await client.messages.create(
        model=MODEL,
        max_tokens=2000,
        messages=ask,
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert {"thinking", "text", "signature", "message_stop"} <= kinds
    assert [b["type"] for b in streamed["content"]] == [b.type for b in whole.content]
    assert streamed["usage"]["output_tokens"] == whole.usage.output_tokens
    assert streamed["usage"]["server_tool_use"]["web_search_requests"] == 2
    assert whole.usage.server_tool_use is not None
    assert whole.usage.server_tool_use.web_search_requests == 2
    first, second = simulator.ledger
    assert first.usage == second.usage


async def test_a_tool_loop_ends_with_words_about_the_result(
    client: anthropic.AsyncAnthropic,
) -> None:
    messages = user("use the get_weather tool for: Oslo")
    first = await client.messages.create(model=MODEL, max_tokens=300, messages=messages, tools=[WEATHER])
    assert first.stop_reason == "tool_use"
    use = first.content[-1]
    assert use.type == "tool_use"
    assert use.input == {"city": "Oslo"}
    messages += [
        {"role": "assistant", "content": first.content},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "rain, 7°"}],
        },
    ]
    async with client.messages.stream(model=MODEL, max_tokens=300, messages=messages, tools=[WEATHER]) as stream:
        assert "rain, 7°" in await stream.get_final_text()


async def test_a_tool_call_is_streamed_in_pieces(client: anthropic.AsyncAnthropic) -> None:
    city = "a city with a long name " * 5
    async with client.messages.stream(
        model=MODEL,
        max_tokens=300,
        messages=user(f"use the get_weather tool for: {city}"),
        tools=[WEATHER],
    ) as stream:
        pieces = [event async for event in stream if event.type == "input_json"]
        final = await stream.get_final_message()
    assert len(pieces) > 3
    assert final.content[-1].type == "tool_use"
    assert final.content[-1].input == {"city": city.strip()}


async def test_images_are_accepted_and_counted(client: anthropic.AsyncAnthropic) -> None:
    messages: list[MessageParam] = [
        {
            "role": "user",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                }
            ],
        }
    ]
    message = await client.messages.create(model=MODEL, max_tokens=300, messages=messages)
    counted = await client.messages.count_tokens(model=MODEL, messages=messages)
    assert message.usage.input_tokens == counted.input_tokens >= 1500


async def test_a_marked_prompt_is_written_to_the_cache_and_then_read(
    client: anthropic.AsyncAnthropic,
) -> None:
    usages = []
    for _ in range(2):
        message = await client.messages.create(
            model=MODEL,
            max_tokens=300,
            system=[
                {
                    "type": "text",
                    "text": "x" * 4000,
                    "cache_control": {"type": "ephemeral", "ttl": "1h"},
                }
            ],
            messages=user("hi"),
        )
        usages.append(message.usage)
    first, second = usages
    assert first.cache_creation is not None
    assert first.cache_creation.ephemeral_1h_input_tokens == 1000
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens == 1000
    assert first.input_tokens == second.input_tokens > 0


async def test_models_are_listed_paged_and_found(client: anthropic.AsyncAnthropic) -> None:
    listed = [model.id async for model in client.models.list(limit=4)]
    assert listed == [model.id for model in MODELS]
    found = await client.models.retrieve(MODEL)
    assert (found.display_name, found.lifecycle) == ("Claude Haiku 4.5", "active")
    assert found.created_at.year == 2025


@pytest.mark.parametrize(
    ("mark", "expected", "status"),
    [
        ("overloaded", anthropic.OverloadedError, 529),
        ("rate_limit", anthropic.RateLimitError, 429),
        ("api_error", anthropic.InternalServerError, 500),
        ("timeout", anthropic.GatewayTimeoutError, 504),
        ("permission", anthropic.PermissionDeniedError, 403),
        ("billing", anthropic.PaymentRequiredError, 402),
        ("invalid_request", anthropic.BadRequestError, 400),
    ],
)
async def test_errors_on_demand_are_the_sdks_classes(
    client: anthropic.AsyncAnthropic,
    mark: str,
    expected: type[anthropic.APIStatusError],
    status: int,
) -> None:
    with pytest.raises(expected) as caught:
        await client.messages.create(model=MODEL, max_tokens=9, messages=user(f"simulate: {mark}"))
    assert caught.value.status_code == status
    assert caught.value.request_id is not None
    with pytest.raises(expected):
        await client.messages.create(model=f"{MODEL}+{mark}", max_tokens=9, messages=user("hi"))


async def test_refused_requests_are_the_sdks_classes(client: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-imaginary")
    with pytest.raises(anthropic.BadRequestError):
        await client.messages.create(model=MODEL, max_tokens=9, messages=[])
    with pytest.raises(anthropic.AuthenticationError):
        await client.with_options(api_key="wrong").models.list()


async def test_an_error_event_inside_a_stream_is_raised(client: anthropic.AsyncAnthropic) -> None:
    stream = await client.messages.create(
        model=MODEL, max_tokens=300, messages=user("simulate: stream_error"), stream=True
    )
    seen = []

    async def read() -> None:
        async for event in stream:
            seen.append(event.type)

    with pytest.raises(anthropic.APIStatusError) as caught:
        await read()
    assert "content_block_delta" in seen
    assert caught.value.type == "overloaded_error"


async def test_a_reset_before_the_head_is_a_connection_error(
    simulator: Simulator, client: anthropic.AsyncAnthropic
) -> None:
    simulator.script(next=Scripted.verbatim_http(Reset()))
    with pytest.raises(anthropic.APIConnectionError):
        await client.messages.create(model=MODEL, max_tokens=9, messages=user("hi"))


async def test_a_reset_in_a_stream_is_a_read_error(simulator: Simulator, client: anthropic.AsyncAnthropic) -> None:
    simulator.script(next=Scripted.message_stream(keep=3, then=[Reset()]))
    async with client.messages.stream(model=MODEL, max_tokens=9, messages=user("hi")) as stream:
        with pytest.raises(httpx2.ReadError):
            await stream.get_final_message()


@pytest.mark.parametrize("stream", [True, False])
async def test_a_disconnect_on_demand_breaks_off(client: anthropic.AsyncAnthropic, stream: bool) -> None:
    ask = user("simulate: disconnect")
    if stream:
        async with client.messages.stream(model=MODEL, max_tokens=99, messages=ask) as opened:
            with pytest.raises(httpx2.ReadError):
                await opened.get_final_message()
    else:
        with pytest.raises(anthropic.APIConnectionError):
            await client.messages.create(model=MODEL, max_tokens=99, messages=ask)


async def test_the_sdk_retries_what_the_script_says_once(simulator: Simulator) -> None:
    simulator.script(next=Scripted.error("rate_limit_error", headers={"retry-after-ms": "1"}))
    async with anthropic.AsyncAnthropic(api_key=simulator.upstream_key, base_url=simulator.url, max_retries=1) as made:
        await made.messages.create(model=MODEL, max_tokens=9, messages=user("hi"))
    assert [attempt.status for attempt in simulator.ledger] == [429, 200]


async def test_a_slow_answer_pings_first(simulator: Simulator, client: anthropic.AsyncAnthropic) -> None:
    began = time.monotonic()
    stream = await client.messages.create(
        model=MODEL, max_tokens=300, messages=user("simulate: slow 0.2s"), stream=True
    )
    async for event in stream:
        if event.type == "content_block_start":
            break
    assert time.monotonic() - began >= 0.2
    await stream.close()


async def test_a_client_that_stops_reading_is_in_the_ledger(simulator: Simulator) -> None:
    slow = Simulator("k", pace_s=0.05)
    async with slow.serving() as url:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=url) as made:
            stream = await made.messages.create(
                model=MODEL, max_tokens=9000, messages=user("simulate: long 9000"), stream=True
            )
            async for event in stream:
                if event.type == "content_block_delta":
                    break
            await stream.close()
        await slow.ledger.settled(timeout_s=2)
    attempt = slow.ledger[-1]
    assert attempt.outcome == "client_left"
    assert attempt.usage is not None
    assert attempt.usage["output_tokens"] == 1


async def test_a_structured_output_in_a_stream_is_json(client: anthropic.AsyncAnthropic) -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    async with client.messages.stream(
        model=MODEL,
        max_tokens=300,
        system="You are Claude Code. You are naming a coding session.",
        messages=user("<session>\nhello\n</session>"),
        output_config={"format": {"type": "json_schema", "schema": schema}},
    ) as stream:
        assert json.loads(await stream.get_final_text()) == {"title": "Simulated session"}


@pytest.mark.skipif(not CLAUDE.exists(), reason="SKIPPED: the claude binary is not installed")
async def test_claude_code_runs_a_tool_loop(simulator: Simulator, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    (work / "note.txt").write_text("the note says walrus")
    prompt = f"use the Bash tool to run: echo hel''lo\nuse the Read tool on: {work / 'note.txt'}"
    claude = await asyncio.create_subprocess_exec(
        *(CLAUDE, "-p", prompt, "--allowedTools", "Bash(echo:*)", "Read"),
        cwd=work,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ANTHROPIC_BASE_URL": simulator.url,
            "ANTHROPIC_API_KEY": simulator.upstream_key,
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            out, err = await claude.communicate()
    finally:
        if claude.returncode is None:
            claude.kill()
            await claude.wait()
    assert claude.returncode == 0, (out + err).decode()
    assert "the note says walrus" in out.decode()
    asked = [a for a in simulator.ledger if a.path == "/v1/messages" and a.status == 200]
    assert len(asked) >= 3
    assert any(b"hello" in a.request.body for a in asked[1:] if a.request)
    assert asked[-1].usage is not None
    assert asked[-1].usage["cache_read_input_tokens"] > 0


async def test_the_module_runs_on_its_own_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "crouter.simulator", "--port", "0", "--pace", "0"),
        cwd=Path(crouter.__file__).parents[1],
        env=os.environ | {"CROUTER_SIMULATOR_KEY": "own-key"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        url = next(word for word in line.split() if word.startswith("http://"))
        async with anthropic.AsyncAnthropic(api_key="own-key", base_url=url) as made:
            message = await made.messages.create(model=MODEL, max_tokens=300, messages=user("hi"))
        assert message.stop_reason == "end_turn"
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
