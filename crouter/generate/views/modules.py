"""What every generated Python module shares: its header, its imports and the source of its values."""

from collections.abc import Mapping
from dataclasses import dataclass

from crouter.generate.python import assignment, dataclasses_of, from_import


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A Python module that declares values. Docstrings stand in its template.

    `imports` ends with the empty line that parts it from what follows, where anything is imported.
    """

    header: str
    imports: str
    assignments: str


def module_view(header: str, values: Mapping[str, object], uses: Mapping[str, str] | None = None) -> ModuleView:
    """The view of a module that assigns `values`; `uses` names what they take from other modules, and from which."""
    wanted: dict[str, set[str]] = {}
    for value in values.values():
        for kind in dataclasses_of(value):
            wanted.setdefault(kind.__module__, set()).add(kind.__name__)
    for name, module in (uses or {}).items():
        wanted.setdefault(module, set()).add(name)
    imports = "\n".join(from_import(module, tuple(wanted[module])) for module in sorted(wanted))
    return ModuleView(
        header=header,
        imports=f"{imports}\n\n" if imports else "",
        assignments="\n\n".join(assignment(name, value) for name, value in values.items()),
    )
