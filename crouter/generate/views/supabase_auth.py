"""What Supabase Auth keeps of people beyond the policy, taken out of its tables before it is written.

Only where the policy declares Supabase. Leaves out what no SQL of a project reaches: logs of Supabase's own servers,
which the document names.
"""

from dataclasses import dataclass
from typing import Final

from crouter.generate.templates import Templates
from crouter.plan.plan import Plan

PROCESSOR: Final = "supabase"
# What Supabase Auth itself goes by, whatever is asked of people.
NEEDED: Final = ("iss", "provider_id", "sub")
# How it calls what an identity can tell.
CALLED: Final = {
    "email": ("email", "email_verified"),
    "name": ("full_name", "name"),
    "picture": ("avatar_url", "picture"),
    "locale": ("locale",),
    "phone": ("phone", "phone_verified"),
}


@dataclass(frozen=True, slots=True)
class SupabaseAuthView:
    """`kept` are the keys that may stand in what an identity told; the rest of it goes."""

    header: str
    kept: tuple[str, ...]


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """database/supabase_auth.sql, or nothing."""
    deployment = plan.deployment
    if not any(processor.name == PROCESSOR for processor in deployment.processors):
        return {}
    told = {
        field.name
        for record in deployment.records
        for field in record.fields
        if field.personal and field.source == "identity"
    }
    kept = {*NEEDED, *(key for name in told for key in CALLED.get(name, ()))}
    view = SupabaseAuthView(plan.header, tuple(sorted(kept)))
    return {"database/supabase_auth.sql": templates.render("database/supabase_auth.sql.jinja", view)}
