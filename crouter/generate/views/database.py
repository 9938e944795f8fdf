"""The database family: schema.sql, the state that the migrations lead to. The migrations are `migrations.py`."""

from crouter.generate.changes import change_between
from crouter.generate.migrations import SqlView
from crouter.generate.templates import Templates
from crouter.plan.plan import Plan
from crouter.plan.schema import Schema


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """database/schema.sql."""
    change = change_between(Schema(plan.schema.name, ()), plan.schema)
    view = SqlView(plan.header, change.steps)
    return {"database/schema.sql": templates.render("database/schema.sql.jinja", view)}
