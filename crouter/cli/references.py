"""The documents about the policy language that a project may keep beside its policy, as they have to be."""

from pathlib import Path

from crouter.cli.project import Project
from crouter.policy.reference import policy_reference
from crouter.policy.rules_reference import rules_reference

RULES = "docs/rules.md"


def references(project: Project) -> dict[Path, str]:
    """Those that the project keeps, and their text."""
    texts = {project.reference: policy_reference(), project.folder / RULES: rules_reference()}
    return {path: text for path, text in texts.items() if path.is_file()}
