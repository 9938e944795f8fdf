"""Message batches of the simulator: made, worked off after a few looks, and told line by line.

A batch is in progress until it was looked at `looks` times; then every request of it has its answer. Everything is in
memory, for everybody who has the key: whose a batch is has to be known by whoever shares that key.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crouter.simulator.answer import answer_to, identifier
from crouter.simulator.cache import PromptCache
from crouter.simulator.errors import Refusal, error_object
from crouter.simulator.events import message_object
from crouter.simulator.ledger import BatchLine
from crouter.simulator.models import PAGE_DEFAULT, Model, find_model
from crouter.simulator.request import Json, human_text, read_request
from crouter.simulator.steering import read_steering, split_model

PAGE_MAX = 1000
REQUESTS_MAX = 100_000
KINDS = ("processing", "succeeded", "errored", "canceled", "expired")


@dataclass
class Batch:
    """One batch. `lines` are its results once it has ended; `looks_left` until then."""

    id: str
    requests: list[Json]
    created_at: datetime
    looks_left: int
    lines: list[Json] = field(default_factory=list)
    ended_at: datetime | None = None
    cancelled_at: datetime | None = None

    def wire(self, url: str) -> Json:
        """The batch as the API shows it; `url` is where the API is."""
        counts = dict.fromkeys(KINDS, 0)
        for line in self.lines:
            counts[line["result"]["type"]] += 1
        counts["processing"] = 0 if self.ended_at else len(self.requests)
        status = "ended" if self.ended_at else "canceling" if self.cancelled_at else "in_progress"
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "ended_at": _text(self.ended_at),
            "created_at": _text(self.created_at),
            "expires_at": _text(self.created_at + timedelta(hours=24)),
            "archived_at": None,
            "cancel_initiated_at": _text(self.cancelled_at),
            "results_url": f"{url}/v1/messages/batches/{self.id}/results" if self.ended_at else None,
        }


class Batches:
    """All batches, newest first. `told` is called for each line that succeeded, once, when its batch ends."""

    def __init__(self, models: tuple[Model, ...], cache: PromptCache, told: Callable[[BatchLine], None]) -> None:
        self._models = models
        self._cache = cache
        self._told = told
        self._batches: dict[str, Batch] = {}
        self.looks = 1

    def create(self, body: bytes, seed: str) -> Batch | Refusal:
        """A new batch, or why the API refuses the body."""
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            return Refusal("invalid_request_error", "The request body is not valid JSON")
        requests = fields.get("requests") if isinstance(fields, dict) else None
        if not isinstance(requests, list) or not 0 < len(requests) <= REQUESTS_MAX:
            return Refusal("invalid_request_error", "requests: Field required")
        for number, request in enumerate(requests):
            if not isinstance(request, dict) or not isinstance(request.get("custom_id"), str):
                return Refusal("invalid_request_error", f"requests.{number}.custom_id: Field required")
            if isinstance(read := read_request(json.dumps(request.get("params")).encode()), Refusal):
                return Refusal("invalid_request_error", f"requests.{number}.params: {read.message}")
        if len({request["custom_id"] for request in requests}) != len(requests):
            return Refusal("invalid_request_error", "requests: custom_id must be unique")
        batch = Batch(identifier("msgbatch", seed), requests, datetime.now(UTC), self.looks)
        self._batches[batch.id] = batch
        return batch

    def find(self, batch_id: str) -> Batch | Refusal:
        """The batch with that id."""
        found = self._batches.get(batch_id)
        return found if found is not None else Refusal("not_found_error", "message batch not found")

    def look(self, batch_id: str) -> Batch | Refusal:
        """The batch as a question for it finds it; the last look that was left ends it."""
        batch = self.find(batch_id)
        if isinstance(batch, Batch) and batch.ended_at is None:
            if batch.looks_left <= 0 or batch.cancelled_at:
                self._end(batch)
            batch.looks_left -= 1
        return batch

    def cancel(self, batch_id: str) -> Batch | Refusal:
        """Asks a batch to end."""
        batch = self.find(batch_id)
        if isinstance(batch, Batch) and batch.ended_at is None and batch.cancelled_at is None:
            batch.cancelled_at = datetime.now(UTC)
        return batch

    def delete(self, batch_id: str) -> Json | Refusal:
        """Forgets a batch that has ended."""
        batch = self.find(batch_id)
        if isinstance(batch, Refusal):
            return batch
        if batch.ended_at is None:
            return Refusal("invalid_request_error", "a batch has to end before it can be deleted")
        del self._batches[batch_id]
        return {"id": batch_id, "type": "message_batch_deleted"}

    def results(self, batch_id: str) -> bytes | Refusal:
        """The lines of a batch that has ended."""
        batch = self.find(batch_id)
        if isinstance(batch, Refusal):
            return batch
        if batch.ended_at is None:
            return Refusal("not_found_error", "no results are available before the batch has ended")
        return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in batch.lines)

    def page(self, query: Mapping[str, str], url: str) -> Json | Refusal:
        """Everybody's batches, newest first."""
        newest = list(reversed(self._batches.values()))
        limit = min(int(query.get("limit", PAGE_DEFAULT)), PAGE_MAX)
        ids = [batch.id for batch in newest]
        after = query.get("after_id")
        if after is not None and after not in ids:
            return Refusal("invalid_request_error", "the cursor names no batch")
        rest = newest[ids.index(after) + 1 :] if after else newest
        page = rest[:limit]
        return {
            "data": [batch.wire(url) for batch in page],
            "has_more": len(rest) > limit,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }

    def _end(self, batch: Batch) -> None:
        batch.ended_at = datetime.now(UTC)
        for number, request in enumerate(batch.requests):
            result = {"type": "canceled"} if batch.cancelled_at else self._result(batch, number, request)
            batch.lines.append({"custom_id": request["custom_id"], "result": result})

    def _result(self, batch: Batch, number: int, request: Json) -> Json:
        asked = read_request(json.dumps(request["params"]).encode())
        assert not isinstance(asked, Refusal), "read when the batch was made"
        name, suffix = split_model(asked.model)
        model = find_model(self._models, name)
        steering = read_steering(human_text(asked.turns[-1]), suffix)
        refusal = Refusal("not_found_error", f"model: {name}") if model is None else steering.error
        if model is None or refusal is not None:
            assert refusal is not None, "a model that is there is refused only when asked to"
            return {"type": "errored", "error": error_object(refusal.kind, refusal.message, batch.id)}
        inputs = self._cache.account(asked)
        seed = f"{batch.id}/{number}"
        answer = answer_to(asked, steering, seed=seed, input_tokens=inputs.plain + inputs.write + inputs.read)
        message = message_object(answer, inputs, message_id=identifier("msg", seed), model=model.id)
        message["usage"]["service_tier"] = "batch"
        self._told(BatchLine(batch.id, request["custom_id"], model.id, message["usage"]))
        return {"type": "succeeded", "message": message}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
