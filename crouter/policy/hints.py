"""What to suggest to an author who wrote a name that does not exist."""

import difflib
from collections.abc import Iterable
from itertools import islice

_LISTED_MAX = 24
# Comparing long texts takes long, and nobody misspells a known name into one.
_COMPARED_MAX = 60
_KNOWN_COMPARED_MAX = 200


def listed(names: Iterable[str | int]) -> str:
    """Names after each other, in the given order; a long list is cut."""
    known = [str(name) for name in names]
    more = ", …" if len(known) > _LISTED_MAX else ""
    return ", ".join(known[:_LISTED_MAX]) + more


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if one is near enough."""
    if len(name) > _COMPARED_MAX:
        return None
    near = difflib.get_close_matches(name, islice(known, _KNOWN_COMPARED_MAX), n=1, cutoff=0.6)
    return near[0] if near else None


def meant(name: str, known: Iterable[str]) -> str:
    """A question after the known name that is nearest, or else all known names."""
    names = list(known)
    if not names:
        return "none is declared yet"
    if near := nearest(name, names):
        return f"did you mean `{near}`?"
    return f"known are: {listed(names)}"
