"""The retention family: the plan's `RetentionPlan` as source, and the entry point of the worker."""

from crouter.generate.templates import Templates
from crouter.generate.views.modules import module_view
from crouter.generate.views.service import EntryView
from crouter.plan.plan import Plan


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """Everything in generated/retention/."""
    views = {
        "retention/__init__.py": module_view(plan.header, {"RETENTION": plan.retention}),
        "retention/__main__.py": EntryView(plan.header),
    }
    return {path: templates.render(f"{path}.jinja", view) for path, view in views.items()}
