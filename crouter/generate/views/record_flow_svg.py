"""The data-flow diagram as SVG: three lanes from left to right, and a band below for what only passes through.

The layout is our own and small: boxes are stacked in lanes, arrows are level, so none can cross another. The same
policy gives the same picture, whatever fonts a machine has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crouter.generate.views.record_flow import PEOPLE, Flow, Kept, Receiver
from crouter.generate.views.record_flow_text import wrapped
from crouter.plan.words import capitalised

WIDTH = 1200
_EDGE, _PAD, _GAP = 28, 16, 16
_PEOPLE_X, _PEOPLE_WIDTH = _EDGE, 190
_SERVICE_X, _SERVICE_WIDTH = 374, 354
_PARTY_X, _PARTY_WIDTH = 806, WIDTH - 806 - _EDGE
_STOP_GAP = 68
_LABEL_ROOM = 14


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `kind` is its class in the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, its baseline at `y`; in the middle of `x` where its kind says so."""

    x: float
    y: float
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A level line from `x1` to `x2`; content that passes has a head at both ends."""

    x1: float
    x2: float
    y: float
    kind: str


@dataclass(frozen=True, slots=True)
class FlowView:
    """What the template draws, in this order: boxes, arrows, lines."""

    header: str
    title: str
    summary: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    lines: tuple[Line, ...]


# Size and line height of each kind of text; the style sheet of the template says the same.
_TEXT = {"name": (16, 21), "words": (13.5, 18.5), "quiet": (12.5, 17.5), "label": (12.5, 16.5), "title": (26, 32)}


@dataclass(frozen=True, slots=True)
class _Card:
    """A box of text before it has a place."""

    lines: tuple[tuple[str, str], ...]
    width: float
    height_min: float = 0

    @property
    def height(self) -> float:
        return max(_tall(self.lines) + 2 * _PAD - 6, self.height_min)


class _Canvas:
    """Collects what is drawn."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.lines: list[Line] = []

    def card(self, card: _Card, x: float, y: float, kind: str) -> None:
        self.boxes.append(Box(x, round(y, 1), card.width, round(card.height, 1), kind))
        self.write(card.lines, x + _PAD, y + _PAD - 4)

    def write(self, lines: Sequence[tuple[str, str]], x: float, y: float) -> float:
        for kind, text in lines:
            size, height = _TEXT[kind]
            self.lines.append(Line(x, round(y + size, 1), text, kind))
            y += height
        return y

    def label(self, text: str, x1: float, x2: float, y: float) -> None:
        """Words in the middle above a level arrow."""
        size, height = _TEXT["label"]
        lines = wrapped(text, size, x2 - x1 - _LABEL_ROOM)
        for number, line in enumerate(lines):
            self.lines.append(Line((x1 + x2) / 2, round(y - 8 - (len(lines) - 1 - number) * height, 1), line, "label"))


def flow_view(flow: Flow, header: str) -> FlowView:
    """The picture of a flow."""
    canvas = _Canvas()
    top = canvas.write(_texts("title", flow.title, WIDTH - 2 * _EDGE), _EDGE, 20)
    top = canvas.write(_texts("words", "What is kept, and who receives it", WIDTH), _EDGE, top + 4)
    bottom = _lanes(canvas, flow, top + 24)
    notes = " ".join(words for words in (flow.deletion, flow.beside) if words)
    if notes:
        bottom = canvas.write(_texts("quiet", notes, WIDTH - 2 * _EDGE), _EDGE, bottom + 12)
    if flow.before or flow.after:
        bottom = _band(canvas, flow, bottom + 34)
    return FlowView(
        header=header,
        title=flow.title,
        summary=flow.summary,
        width=WIDTH,
        height=round(bottom + _EDGE),
        boxes=tuple(canvas.boxes),
        arrows=tuple(canvas.arrows),
        lines=tuple(canvas.lines),
    )


def _lanes(canvas: _Canvas, flow: Flow, top: float) -> float:
    """The people, the service with what it keeps, and the parties; gives the lower edge."""
    kept = [_kept_card(item) for item in flow.kept]
    parties = [_party_card(party, _PARTY_WIDTH) for party in flow.receivers]
    person = (("name", PEOPLE), *_in_browser(flow))
    name = _texts("name", flow.service, _SERVICE_WIDTH - 2 * _PAD)
    head = _tall(name) + _PAD - 3
    height = round(max(_stacked(kept) + head + 2 * _PAD, _stacked(parties) + 2 * _PAD, _tall(person) + 2 * _PAD), 1)
    canvas.boxes.append(Box(_PEOPLE_X, top, _PEOPLE_WIDTH, height, "people"))
    canvas.boxes.append(Box(_SERVICE_X, top, _SERVICE_WIDTH, height, "service"))
    canvas.write(person, _PEOPLE_X + _PAD, top + _PAD)
    canvas.write(name, _SERVICE_X + _PAD, top + _PAD)
    for card, y, item in zip(kept, _spread(kept, top + head, height - head), flow.kept, strict=True):
        canvas.card(card, _SERVICE_X + _PAD, y, "kept")
        middle = round(y + card.height / 2, 1)
        canvas.arrows.append(Arrow(_PEOPLE_X + _PEOPLE_WIDTH, _SERVICE_X + _PAD, middle, "gives"))
        canvas.label(item.comes, _PEOPLE_X + _PEOPLE_WIDTH, _SERVICE_X, middle)
    for card, y in zip(parties, _spread(parties, top, height), strict=True):
        canvas.card(card, _PARTY_X, y, "party")
        canvas.arrows.append(Arrow(_SERVICE_X + _SERVICE_WIDTH, _PARTY_X, round(y + card.height / 2, 1), "gives"))
    return top + height


def _band(canvas: _Canvas, flow: Flow, top: float) -> float:
    """What only passes through, with its stops in a row; gives the lower edge."""
    own = Receiver("", flow.service, "passes it on and keeps nothing of it", "", "")
    stops = (*flow.before, own, *flow.after)
    inner = WIDTH - 2 * _EDGE - 2 * _PAD
    width = (inner - _STOP_GAP * len(stops)) / (len(stops) + 1)
    cards = [_Card(_texts("name", PEOPLE, width - 2 * _PAD), width), *(_stop_card(stop, width) for stop in stops)]
    head = (
        *_texts("name", f"Only passes through: {flow.content}", inner),
        *_texts("quiet", "Drawn apart, because none of it is kept on the way through our service.", inner),
    )
    tallest = max(card.height for card in cards)
    height = _tall(head) + tallest + 3 * _PAD
    canvas.boxes.append(Box(_EDGE, round(top, 1), WIDTH - 2 * _EDGE, round(height, 1), "transit"))
    y = canvas.write(head, _EDGE + _PAD, top + _PAD) + _PAD
    for number, card in enumerate(cards):
        x = round(_EDGE + _PAD + number * (width + _STOP_GAP), 1)
        kind = "person" if number == 0 else "own" if stops[number - 1] is own else "stop"
        canvas.card(_Card(card.lines, round(width, 1)), x, y + (tallest - card.height) / 2, kind)
        if number:
            canvas.arrows.append(Arrow(round(x - _STOP_GAP, 1), x, round(y + tallest / 2, 1), "passes"))
    return top + height


def _kept_card(kept: Kept) -> _Card:
    width = _SERVICE_WIDTH - 2 * _PAD
    card = _card(width, ("name", capitalised(kept.label)), ("words", kept.holds), ("quiet", kept.stays))
    # The words above its arrow need room as well.
    size, line = _TEXT["label"]
    words = wrapped(kept.comes, size, _SERVICE_X - _PEOPLE_X - _PEOPLE_WIDTH - _LABEL_ROOM)
    return _Card(card.lines, card.width, 2 * line * len(words))


def _party_card(party: Receiver, width: float) -> _Card:
    return _card(
        width,
        ("name", party.label),
        ("quiet", party.does),
        ("words", f"Receives: {party.receives}"),
        ("quiet", f"Keeps it: {party.keeps}"),
    )


def _stop_card(stop: Receiver, width: float) -> _Card:
    return _card(
        width,
        ("name", stop.label),
        ("quiet", stop.does),
        *((("quiet", f"Keeps it: {stop.keeps}"),) if stop.keeps else ()),
    )


def _card(width: float, *texts: tuple[str, str]) -> _Card:
    return _Card(tuple(line for kind, text in texts for line in _texts(kind, text, width - 2 * _PAD)), width)


def _texts(kind: str, text: str, width: float) -> tuple[tuple[str, str], ...]:
    # Names are bold, and bold letters are wider.
    size = _TEXT[kind][0] * (1.08 if kind in ("name", "title") else 1)
    return tuple((kind, line) for line in wrapped(text, size, width))


def _in_browser(flow: Flow) -> tuple[tuple[str, str], ...]:
    """The names of what stays in a browser, each on lines of its own."""
    heading = ("kept in the browser:",) if flow.browser else ()
    width = _PEOPLE_WIDTH - 2 * _PAD
    return tuple(line for text in (*heading, *flow.browser) for line in _texts("quiet", text, width))


def _tall(lines: Sequence[tuple[str, str]]) -> float:
    return sum(_TEXT[kind][1] for kind, _ in lines)


def _stacked(cards: Sequence[_Card]) -> float:
    return sum(card.height for card in cards) + _GAP * max(len(cards) - 1, 0)


def _spread(cards: Sequence[_Card], top: float, height: float) -> list[float]:
    """The upper edge of each card, spread evenly over a lane."""
    free = height - sum(card.height for card in cards)
    gap = max(free / (len(cards) + 1), 0) if cards else 0
    edges, y = [], top + gap
    for card in cards:
        edges.append(y)
        y += card.height + gap
    return edges
