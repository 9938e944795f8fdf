"""Reads what `POST /v1/chat/completions` asks for; `messages.py` answers it like a message.

The answer is that of Anthropic's compatibility endpoint, byte for byte, less the one chunk that only we asked for.
"""

from datetime import datetime

from crouter.runtime.front.admission import Admission
from crouter.runtime.proxy.dialects import COMPLETIONS
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.proxy.usage_chunk import UsageChunkFilter
from crouter.runtime.server.messages import Asked


def read_chat(admission: Admission, body: bytes, at: datetime) -> Asked | ErrorReply:
    """Reads the body of a chat completion."""
    completion = admission.read_completion(body, at)
    if isinstance(completion, ErrorReply):
        return completion
    cut = UsageChunkFilter() if completion.asks_usage else None
    return Asked(completion.accepted, completion.body, COMPLETIONS, cut)
