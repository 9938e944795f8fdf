"""Lines to paste into a terminal that use a running service: curl, Claude Code, the SDK. Pure.

The values in them are addresses and keys of our own making, which no shell reads as anything but text.
"""

from crouter.development.state_folder import DevelopmentFacts

MODEL = "claude-sonnet-5"


def curl(facts: DevelopmentFacts, *, stream: bool = False) -> str:
    """A request as one shell command; with `stream`, the answer arrives event by event."""
    streaming = '"stream":true,' if stream else ""
    body = f'{{"model":"{MODEL}","max_tokens":256,{streaming}"messages":[{{"role":"user","content":"Hello, Claude"}}]}}'
    return " \\\n  ".join(
        (
            f"curl {'-N ' if stream else ''}-sS {facts.url}/v1/messages",
            f"-H 'x-api-key: {facts.api_key}'",
            "-H 'anthropic-version: 2023-06-01'",
            "-H 'content-type: application/json'",
            f"-d '{body}'",
        )
    )


def claude_code(facts: DevelopmentFacts) -> str:
    """Claude Code on this service.

    ANTHROPIC_AUTH_TOKEN goes before a saved login and asks nothing. ANTHROPIC_API_KEY is emptied, because a key of
    Anthropic that the shell happens to have would be sent along.
    """
    return f"ANTHROPIC_BASE_URL={facts.url} ANTHROPIC_AUTH_TOKEN={facts.api_key} ANTHROPIC_API_KEY= claude"


def python_sdk(facts: DevelopmentFacts) -> str:
    """The `anthropic` package on this service."""
    return (
        "import anthropic\n"
        f'client = anthropic.Anthropic(base_url="{facts.url}", api_key="{facts.api_key}")\n'
        f'answer = client.messages.create(model="{MODEL}", max_tokens=256,\n'
        '                                messages=[{"role": "user", "content": "Hello, Claude"}])\n'
        "print(answer.content[0].text)"
    )
