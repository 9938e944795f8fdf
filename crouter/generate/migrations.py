"""Decides whether the database needs another migration, and writes it.

Two plans are compared by structure (see `state.py`). Where they differ, one migration is appended; those before it
are never touched.
"""

from dataclasses import dataclass
from datetime import date

from crouter.generate.changes import Step, change_between
from crouter.generate.history import History, Migration, text_digest
from crouter.generate.state import structure_digest
from crouter.generate.templates import Templates
from crouter.plan.plan import Plan, make_plan
from crouter.policy.model import Policy


@dataclass(frozen=True, slots=True)
class SqlView:
    """What the SQL templates draw."""

    header: str
    steps: tuple[Step, ...]
    destroys: tuple[str, ...] = ()


def pending_migration(policy: Policy, history: History) -> Migration | None:
    """The migration that `policy` needs after `history`; None where the database is as it should be."""
    return added_migration(history, extend_history(make_plan(policy), Templates(), history))


def added_migration(history: History, extended: History) -> Migration | None:
    """The migration by which `extended` goes on where `history` ends."""
    return extended.migrations[-1] if len(extended.migrations) > len(history.migrations) else None


def extend_history(plan: Plan, templates: Templates, history: History) -> History:
    """`history`, with one more migration if the plan's schema has another structure than the last one left."""
    structure = structure_digest(plan.schema)
    if history.migrations and structure == structure_digest(history.schema):
        return history
    change = change_between(history.schema, plan.schema)
    view = SqlView(plan.header, change.steps, change.destroys)
    text = templates.render("database/migrations/migration.sql.jinja", view)
    migration = Migration(
        version=_version(history, plan.policy.policy.effective),
        name=change.name,
        sha256=text_digest(text),
        structure=structure,
        destroys=change.destroys,
    )
    return history.followed_by(migration, text, plan.schema)


def _version(history: History, effective: date) -> str:
    """The policy's date, or one more than the last version where that is not later."""
    last = max((int(migration.version) for migration in history.migrations), default=0)
    return f"{max(last + 1, int(effective.strftime('%Y%m%d')) * 1_000_000):014d}"
