"""Loads a policy: text in; a checked policy, or everything that is wrong with it, out. Never raises for a bad file."""

from dataclasses import dataclass
from pathlib import Path as FilePath

from crouter.policy import characters
from crouter.policy.document import read
from crouter.policy.model import Policy
from crouter.policy.problems import Place, Positions, Problem, in_order
from crouter.policy.rules import ALL_RULES
from crouter.policy.rules.frame import apply
from crouter.policy.validate import validate


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one file. `policy` is None if any problem is an error; problems are in the order of the file."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    positions: Positions


def load_file(path: FilePath) -> Loaded:
    """Load a file. That it cannot be read is a problem too."""
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(characters.BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name cannot be one"
        return _unreadable(name, f"the file cannot be read: {reason.lower()}")
    if problem := characters.too_large(len(data), name):
        return Loaded(None, (problem,), Positions(name))
    text, undecodable = characters.decode(data, name)
    if undecodable:
        return Loaded(None, (undecodable,), Positions(name))
    return load(text, name)


def load(text: str, name: str = "policy.yaml") -> Loaded:
    """Load a policy from text; `name` is what problems call the file. All problems are found at once."""
    document = read(text, name)
    validated = validate(document)
    by_rules = apply(ALL_RULES, validated.parts, document)
    problems = in_order((*document.problems, *validated.problems, *by_rules))
    policy = None
    if not any(problem.severity == "error" for problem in problems):
        # The parts are valid instances already; this puts them together.
        policy = Policy.model_validate(dict(validated.parts))
    return Loaded(policy, problems, document.positions)


def _unreadable(name: str, sentence: str) -> Loaded:
    problem = Problem("PY-01", "error", Place(name), sentence, "name a policy that exists and may be read")
    return Loaded(None, (problem,), Positions(name))
