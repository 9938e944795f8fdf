"""The retention family: the plan's `RetentionPlan` as source, the entry point of the worker, and the same in SQL."""

from crouter.generate.templates import Templates
from crouter.generate.views import pg_cron
from crouter.generate.views.modules import module_view
from crouter.generate.views.service import EntryView
from crouter.plan.plan import Plan


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """Everything in generated/retention/."""
    views = {
        "retention/__init__.py": module_view(plan.header, {"RETENTION": plan.retention}),
        "retention/__main__.py": EntryView(plan.header),
    }
    modules = {path: templates.render(f"{path}.jinja", view) for path, view in views.items()}
    return {**modules, **pg_cron.render(plan, templates)}
