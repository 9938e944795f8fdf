"""The service family: the plan's `Deployment` as readable source, split by what a reader looks for.

The modules together are exactly the planned object: importing generated.service gives an equal one.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from crouter.contract.data import Record
from crouter.generate.python import Name
from crouter.generate.templates import Templates
from crouter.generate.views.modules import ModuleView, module_view
from crouter.plan.declarations import is_technical
from crouter.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class PackageView:
    """generated/__init__.py."""

    header: str
    contract: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry point."""

    header: str


# Which parts of the deployment stand in which module. What is not here stands in the package itself.
_MODULES = {
    "purposes": ("purposes",),
    "processors": ("processors",),
    "proxy": ("proxy",),
    "logs": ("logs",),
    "metrics": ("metrics",),
    "web": ("web",),
    "mail": ("mail",),
    "security": ("security",),
}


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """generated/__init__.py and everything in generated/service/."""
    views: dict[str, object] = {
        "__init__.py": PackageView(plan.header, plan.deployment.contract),
        "service/__init__.py": _package(plan),
        "service/__main__.py": EntryView(plan.header),
    }
    for module, parts in _modules(plan).items():
        values = {part.upper(): getattr(plan.deployment, part) for part in parts}
        views[f"service/{module}.py"] = module_view(plan.header, values)
    files = {path: templates.render(f"{path}.jinja", view) for path, view in views.items()}
    return {**files, **_records(plan, templates)}


def _records(plan: Plan, templates: Templates) -> dict[str, str]:
    """The package of the records: a module for each, which grows with its table alone, and all of them in order."""
    records = {_constant(record): record for record in plan.deployment.records}
    uses = {constant: f"generated.service.records.{record.name}" for constant, record in records.items()}
    package = module_view(plan.header, {"RECORDS": tuple(map(Name, records))}, uses)
    files = {"service/records/__init__.py": templates.render("service/records/__init__.py.jinja", package)}
    for constant, record in records.items():
        template = "technical_record" if is_technical(record) else "record"
        files[f"service/records/{record.name}.py"] = templates.render(
            f"service/records/{template}.py.jinja", module_view(plan.header, {constant: record})
        )
    return files


def _modules(plan: Plan) -> dict[str, tuple[str, ...]]:
    """A part that the policy does without has no module."""
    return {
        module: parts
        for module, parts in _MODULES.items()
        if all(getattr(plan.deployment, part) is not None for part in parts)
    }


def _constant(record: Record) -> str:
    return f"{record.name.upper()}_RECORD"


def _package(plan: Plan) -> ModuleView:
    """The package, whose deployment names the values of the other modules."""
    uses = {part.upper(): f"generated.service.{module}" for module, parts in _modules(plan).items() for part in parts}
    uses["RECORDS"] = "generated.service.records"
    uses["RETENTION"] = "generated.retention"
    named: dict[str, Any] = {
        field.name: Name(field.name.upper()) for field in fields(plan.deployment) if field.name.upper() in uses
    }
    return module_view(plan.header, {"DEPLOYMENT": replace(plan.deployment, **named)}, uses)
