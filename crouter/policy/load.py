"""Loads a policy: text in; a checked policy, or everything that is wrong with it, out. Never raises for a bad file."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath

from crouter.policy import characters
from crouter.policy.document import read
from crouter.policy.model import Policy
from crouter.policy.problems import Place, Positions, Problem, in_order
from crouter.policy.rules import ALL_RULES
from crouter.policy.rules.frame import apply
from crouter.policy.validate import validate
from crouter.policy.waiving import Waived, problems_of, sort_out


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one file. `policy` is None if any problem is an error; problems are in the order of the file."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    positions: Positions
    waived: tuple[Waived, ...] = ()


def load_file(path: FilePath, today: date | None = None) -> Loaded:
    """Load a file. That it cannot be read is a problem too."""
    text = read_text(path)
    if isinstance(text, Problem):
        return Loaded(None, (text,), Positions(str(path)))
    return load(text, str(path), today)


def read_text(path: FilePath) -> str | Problem:
    """The text of a file, or why it cannot be read."""
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(characters.BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name cannot be one"
        return _unreadable(name, f"the file cannot be read: {reason.lower()}")
    if problem := characters.too_large(len(data), name):
        return problem
    text, undecodable = characters.decode(data, name)
    return undecodable or text


def load(text: str, name: str = "policy.yaml", today: date | None = None) -> Loaded:
    """Load a policy from text; `name` is what problems call the file. All problems are found at once.

    Waivers that expired before `today` are problems; without a day, no waiver has expired.
    """
    document = read(text, name)
    validated = validate(document)
    by_rules = apply(ALL_RULES, validated.parts, document)
    waivers = validated.parts.get("waivers", ())
    sorted_out = sort_out((*document.problems, *validated.problems, *by_rules), waivers, today)
    problems = in_order((*sorted_out.problems, *problems_of(waivers, document.positions, today)))
    policy = None
    if not any(problem.severity == "error" for problem in problems):
        # The parts are valid instances already; this puts them together.
        policy = Policy.model_validate(dict(validated.parts))
    return Loaded(policy, problems, document.positions, sorted_out.waived)


def _unreadable(name: str, sentence: str) -> Problem:
    return Problem("PY-01", "error", Place(name), sentence, "name a policy that exists and may be read")
