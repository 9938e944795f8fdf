"""The database family: schema.sql, the state that the migrations lead to, and what Supabase's own tables need.

The migrations are `migrations.py`.
"""

from crouter.generate.changes import change_between
from crouter.generate.migrations import SqlView
from crouter.generate.templates import Templates
from crouter.generate.views import supabase_auth
from crouter.plan.plan import Plan
from crouter.plan.schema import Schema


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """database/schema.sql, and database/supabase_auth.sql where Supabase is declared."""
    change = change_between(Schema(plan.schema.name, ()), plan.schema)
    view = SqlView(plan.header, change.steps)
    schema = {"database/schema.sql": templates.render("database/schema.sql.jinja", view)}
    return schema | supabase_auth.render(plan, templates)
