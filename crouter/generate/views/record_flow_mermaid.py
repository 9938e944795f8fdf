"""The data-flow diagram as Mermaid text, which many editors and code hosts draw by themselves."""

import re
from itertools import pairwise

from crouter.generate.views.record_flow import PEOPLE, Flow, Receiver

# Mermaid reads quotes, backquotes, brackets, %% and its own `#…;` inside a quoted label too. What is no letter, digit
# or harmless mark of ASCII is written as the number of its character.
_PLAIN = re.compile(r"[A-Za-z0-9 ,.]|[^\x00-\x7f]")


def mermaid(flow: Flow, header: str) -> str:
    """The text of the .mmd file."""
    lines = [
        f"%% {header}",
        "flowchart LR",
        f"  accTitle: {_plain_line(flow.title)}",
        f"  accDescr: {_plain_line(flow.summary)}",
        f"  people([{_label(PEOPLE)}])",
        f"  subgraph service[{_label(flow.service)}]",
        "    direction TB",
        *(f"    kept_{number}[{_label(kept.label, kept.holds, kept.stays)}]" for number, kept in enumerate(flow.kept)),
        "  end",
        *(f"  people -->|{_label(kept.comes)}| kept_{number}" for number, kept in enumerate(flow.kept)),
    ]
    for number, party in enumerate(flow.receivers):
        words = (party.label, party.does, f"receives: {party.receives}", f"keeps it: {party.keeps}")
        lines += [f"  party_{number}[{_label(*words)}]", f"  service --> party_{number}"]
    return "\n".join([*lines, *_passing(flow)]) + "\n"


def _passing(flow: Flow) -> list[str]:
    if not (flow.before or flow.after):
        return []
    stops = [*_named("before", flow.before), ("passing", _label(flow.service, "passes it on, keeps nothing of it"))]
    stops += _named("after", flow.after)
    names = ["people", *(name for name, _ in stops)]
    return [
        f"  subgraph transit[{_label(f'Only passes through: {flow.content}')}]",
        "    direction LR",
        *(f"    {name}[{label}]" for name, label in stops),
        "  end",
        *(f"  {one} <-.-> {other}" for one, other in pairwise(names)),
    ]


def _named(kind: str, stops: tuple[Receiver, ...]) -> list[tuple[str, str]]:
    return [
        (f"{kind}_{number}", _label(stop.label, stop.does, f"keeps it: {stop.keeps}"))
        for number, stop in enumerate(stops)
    ]


def _label(*lines: str) -> str:
    return '"' + "<br/>".join(_encoded(line) for line in lines) + '"'


def _encoded(text: str) -> str:
    return "".join(letter if _PLAIN.fullmatch(letter) else f"#{ord(letter)};" for letter in text)


def _plain_line(text: str) -> str:
    """Words of a title or description, which Mermaid takes to the end of the line and does not decode."""
    return "".join(letter if _PLAIN.fullmatch(letter) or letter in "()-:'/" else " " for letter in text)
