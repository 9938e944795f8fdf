"""Refuses a body that refers to state which all customers share behind one upstream key. Does no I/O.

Files, containers, skills of our own and threads that the upstream holds are found there by an id, whoever gives it. No
record says whose they are, so a body that names one could read another customer's. What a customer's own tools take
and return is free JSON and may call anything `file_id`; it is stepped over.

Nearly every body holds nothing but what is usual, and so no such word. Of others the bytes are searched: only one in
which the word occurs at all is decoded in full.
"""

import json
from typing import Any, Final

from crouter.runtime.proxy.content import may_name_a_file, usual_factors
from crouter.runtime.proxy.cost_factors import CostFactors
from crouter.runtime.proxy.members import Members, Refusal, object_members, value_of

_KEY: Final = "file_id"
_PLACES: Final = ("system", "messages")


def shared_state_in(body: bytes) -> str | None:
    """What a request that is not read any further would be refused for; None if nothing stands against it."""
    try:
        refuse_shared_state(body, object_members(body, "the request body"))
    except Refusal as refusal:
        return str(refusal)
    return None


def refuse_shared_state(body: bytes, members: Members) -> CostFactors | None:
    """Raises Refusal when a request for a message, a token count or a chat completion names shared state.

    Gives what the content of the body bears on its cost, if that could be told in the same look.
    """
    if "container" in members:
        _refuse_container(value_of(members, "container"))
    if "thread" in members and value_of(members, "thread") is not None:
        raise Refusal("thread: conversations that the upstream holds are not offered")
    factors = usual_factors(members)
    if factors is None:
        refuse_files(body, members)
    return factors


def refuse_files(body: bytes, members: Members) -> None:
    """Raises Refusal when a body names a file, whatever else it holds."""
    if not may_name_a_file(body):
        return
    for place in _PLACES:
        raw = members.get(place)
        if raw is not None and may_name_a_file(bytes(raw)) and _names_a_file(_decoded(bytes(raw), place)):
            raise Refusal(f"{place}: files are not offered, so that no `file_id` can be used; send the content itself")


def _decoded(source: bytes, place: str) -> Any:
    """The value, if no object gives a key twice: of `file_id` and null we might see one, and they the other."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise Refusal(f"{place}: an object gives a key twice")
        return value

    try:
        return json.loads(source, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Refusal(f"{place}: not valid JSON, or nested too deeply") from None


def _refuse_container(container: Any) -> None:
    if container is None:
        return
    skills = container.get("skills") if isinstance(container, dict) else None
    if isinstance(container, dict) and container.get("id") is None and _are_public(skills):
        return
    raise Refusal("container: no container or skill can be used that others could use, too")


def _are_public(skills: Any) -> bool:
    return skills is None or (
        isinstance(skills, list)
        and all(isinstance(skill, dict) and skill.get("type") == "anthropic" for skill in skills)
    )


def _names_a_file(content: Any) -> bool:
    """Whether some block, however deep, has a `file_id` that is not null. Answers repeat it as null in citations."""
    pending = [content]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            if value.get(_KEY) is not None:
                return True
            kind = value.get("type")
            is_call = isinstance(kind, str) and kind.endswith("tool_use")
            pending += [inner for key, inner in value.items() if not (is_call and key == "input")]
    return False
