"""How clients are pointed at the service: texts that work when they are pasted, with the key filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

KEY: Final = "YOUR_KEY"
"""Stands where the key belongs. It is shown once, when it is made, so no page can fill it in."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to paste. `where` says into what; `language` is how it is run in tests: sh or python."""

    id: str
    label: str
    where: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One value to type into a window."""

    label: str
    value: str


def example_model(models: Sequence[str]) -> str:
    """A model for examples: neither the dearest nor the smallest, if there is one of that kind."""
    return next((model for model in models if "sonnet" in model), models[0])


def snippets(url: str, model: str) -> tuple[Snippet, ...]:
    """One for each client. `url` is where the service is, `model` one that has a price."""
    return (
        Snippet("claude-code", "Claude Code", "Into a terminal", "sh", _CLAUDE_CODE.format(url=url, key=KEY)),
        Snippet(
            "anthropic",
            "Anthropic SDK",
            "Python, after pip install anthropic",
            "python",
            _ANTHROPIC.format(url=url, key=KEY, model=model),
        ),
        Snippet(
            "openai",
            "OpenAI SDK",
            "Python, after pip install openai",
            "python",
            _OPENAI.format(url=url, key=KEY, model=model),
        ),
        Snippet("curl", "curl", "Into a terminal", "sh", _CURL.format(url=url, key=KEY, model=model)),
    )


def cursor_settings(url: str, model: str) -> tuple[Setting, ...]:
    """What Cursor asks for in its settings, under Models."""
    return (
        Setting("OpenAI API Key", KEY),
        Setting("Override OpenAI Base URL", f"{url}/v1"),
        Setting("Add a custom model", model),
    )


_CLAUDE_CODE: Final = """\
export ANTHROPIC_BASE_URL={url}
export ANTHROPIC_AUTH_TOKEN={key}
claude"""

_ANTHROPIC: Final = """\
from anthropic import Anthropic

client = Anthropic(base_url="{url}", api_key="{key}")
message = client.messages.create(
    model="{model}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(message.content[0].text)"""

_OPENAI: Final = """\
from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="{key}")
completion = client.chat.completions.create(
    model="{model}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(completion.choices[0].message.content)"""

_CURL: Final = """\
curl {url}/v1/messages \\
  -H "x-api-key: {key}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "content-type: application/json" \\
  -d '{{"model": "{model}", "max_tokens": 256, "messages": [{{"role": "user", "content": "Hello"}}]}}'"""
