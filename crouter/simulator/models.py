"""The models the simulator knows, and how `GET /v1/models` pages through them.

The table was written from the model list of the `anthropic` SDK and the model pages of Anthropic's
documentation in November 2026. Prices are not here: they belong to the price book.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crouter.simulator.errors import Refusal

PAGE_DEFAULT = 20
PAGE_MAX = 1000
# What the API documents for a model whose release date is not known.
UNKNOWN_DATE = "1970-01-01"


@dataclass(frozen=True)
class Model:
    """One entry of the catalogue. Dates are UTC calendar days, limits are tokens."""

    id: str
    display_name: str
    line: str
    released: str
    alias: str | None = None
    lifecycle: str = "active"
    retires: str | None = None
    input_tokens_max: int = 1_000_000
    output_tokens_max: int = 128_000

    def wire(self) -> dict[str, Any]:
        """The object the Models API shows."""
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.display_name,
            "created_at": f"{self.released}T00:00:00Z",
            "lifecycle": self.lifecycle,
            "line": self.line,
            "deprecated_at": None,
            "retires_at": f"{self.retires}T00:00:00Z" if self.retires else None,
            "max_input_tokens": self.input_tokens_max,
            "max_tokens": self.output_tokens_max,
        }


# Newest first, the order in which the API lists them.
MODELS: tuple[Model, ...] = (
    Model("claude-fable-5-2", "Claude Fable 5.2", "fable", UNKNOWN_DATE),
    Model("claude-haiku-5-5", "Claude Haiku 5.5", "haiku", "2026-10-07"),
    Model("claude-sonnet-5-5", "Claude Sonnet 5.5", "sonnet", "2026-09-28"),
    Model("claude-opus-5-5", "Claude Opus 5.5", "opus", "2026-09-21"),
    Model("claude-fable-5-1", "Claude Fable 5.1", "fable", "2026-09-01"),
    Model("claude-opus-5", "Claude Opus 5", "opus", "2026-07-24"),
    Model("claude-sonnet-5", "Claude Sonnet 5", "sonnet", "2026-06-30"),
    Model("claude-fable-5", "Claude Fable 5", "fable", "2026-06-09"),
    Model("claude-opus-4-8", "Claude Opus 4.8", "opus", "2026-05-28"),
    Model("claude-opus-4-7", "Claude Opus 4.7", "opus", "2026-04-16"),
    Model("claude-sonnet-4-6", "Claude Sonnet 4.6", "sonnet", "2026-02-17"),
    Model("claude-opus-4-6", "Claude Opus 4.6", "opus", "2026-02-05"),
    Model(
        "claude-opus-4-5-20251101",
        "Claude Opus 4.5",
        "opus",
        "2025-11-24",
        alias="claude-opus-4-5",
        input_tokens_max=200_000,
        output_tokens_max=64_000,
    ),
    Model(
        "claude-haiku-4-5-20251001",
        "Claude Haiku 4.5",
        "haiku",
        "2025-10-15",
        alias="claude-haiku-4-5",
        input_tokens_max=200_000,
        output_tokens_max=64_000,
    ),
    Model(
        "claude-sonnet-4-5-20250929",
        "Claude Sonnet 4.5",
        "sonnet",
        "2025-09-29",
        alias="claude-sonnet-4-5",
        lifecycle="deprecated",
        retires="2026-11-30",
        input_tokens_max=200_000,
        output_tokens_max=64_000,
    ),
)


def find_model(models: Sequence[Model], name: str) -> Model | None:
    """The model with that id or alias."""
    return next((model for model in models if name in (model.id, model.alias)), None)


def model_not_found(name: str) -> Refusal:
    """What the API says to a model it does not have."""
    return Refusal("not_found_error", f"model: {name}")


def list_models(models: Sequence[Model], query: Mapping[str, str]) -> dict[str, Any] | Refusal:
    """One page for `after_id`, `before_id` and `limit`, or why the query is refused."""
    limit_text = query.get("limit", str(PAGE_DEFAULT))
    if not limit_text.isascii() or not limit_text.isdigit():
        return Refusal("invalid_request_error", "limit: Input should be a valid integer")
    limit = int(limit_text)
    if not 1 <= limit <= PAGE_MAX:
        return Refusal("invalid_request_error", f"limit: Input should be from 1 to {PAGE_MAX}")
    after, before = query.get("after_id"), query.get("before_id")
    if after and before:
        return Refusal("invalid_request_error", "after_id and before_id exclude each other")
    cursor = after or before
    ids = [model.id for model in models]
    if cursor and cursor not in ids:
        return Refusal("invalid_request_error", "the cursor names no model")
    if after:
        rest = models[ids.index(after) + 1 :]
        page, more = rest[:limit], len(rest) > limit
    elif before:
        rest = models[: ids.index(before)]
        page, more = rest[-limit:], len(rest) > limit
    else:
        page, more = models[:limit], len(models) > limit
    return {
        "data": [model.wire() for model in page],
        "has_more": more,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }
