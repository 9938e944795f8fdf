"""A maintainer's own words for a claim as a sentence: every placeholder becomes a value that knows where it stands."""

from crouter.plan.formats import value_words
from crouter.plan.phrases import Piece as PhrasePiece
from crouter.plan.phrases import Sentence, Value, sentence
from crouter.policy.model import Policy
from crouter.policy.paths import full_path, value_at
from crouter.policy.placeholders import StrayBrace, pieces_of
from crouter.policy.types import Locale


def own_words(policy: Policy, said: str, locale: Locale) -> Sentence:
    """The words of a checked claim as one sentence, or several in one run."""
    pieces: list[PhrasePiece] = []
    for piece in pieces_of(said):
        assert not isinstance(piece, StrayBrace), "the rules refuse it"
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        path = full_path(policy, piece.path)
        value = value_at(policy, path)
        text = value_words(policy, path, value, locale, piece.form)
        pieces.append(Value(".".join(map(str, path)), text, proper=not pieces, link=_link(path, value)))
    return sentence(*pieces)


def _link(path: tuple[str | int, ...], value: object) -> str | None:
    if path == ("controller", "contact"):
        return f"mailto:{value}"
    return value if isinstance(value, str) and value.startswith("https://") else None
