"""Says parts of a schema in SQL, one statement each, without the order in which they have to run."""

from collections.abc import Iterable

from crouter.plan.roles import ANONYMOUS, AUTHENTICATED, OWN, SUPABASE_SERVICE
from crouter.plan.schema import Column, Constraint, Grant, Index, Routine, RowRule, Table, Trigger
from crouter.plan.sql import identifier, literal

_ROLE = """\
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {value}) THEN
        CREATE ROLE {name} NOLOGIN;
    END IF;
END
$$;"""


def _list(names: Iterable[str]) -> str:
    return ", ".join(identifier(name) for name in names)


def create_roles() -> tuple[str, ...]:
    """Our roles, where the cluster has none of the name, and the right to act as them for who migrates."""
    made = (_ROLE.format(value=literal(role), name=identifier(role)) for role in OWN)
    return (*made, f"GRANT {_list(OWN)} TO CURRENT_USER;")


def create_schema(schema: str) -> tuple[str, ...]:
    return (
        f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)};",
        f"REVOKE ALL ON SCHEMA {identifier(schema)} FROM PUBLIC, {_list((ANONYMOUS, SUPABASE_SERVICE))};",
        f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {_list((*OWN, AUTHENTICATED))};",
    )


def create_routine(schema: str, routine: Routine) -> tuple[str, ...]:
    """Makes or replaces a function; nobody but its executor may call it."""
    name = f"{identifier(schema)}.{identifier(routine.name)}"
    told_apart = f"{name}({', '.join(routine.arguments)})"
    others = _list((ANONYMOUS, AUTHENTICATED, SUPABASE_SERVICE, *OWN))
    granted = f"GRANT EXECUTE ON FUNCTION {told_apart} TO {identifier(routine.executor)};" if routine.executor else ""
    return (
        f"CREATE OR REPLACE FUNCTION {name}{routine.definition};",
        f"REVOKE ALL ON FUNCTION {told_apart} FROM PUBLIC, {others};",
        *((granted,) if granted else ()),
    )


def drop_routine(schema: str, routine: Routine) -> str:
    return f"DROP FUNCTION {identifier(schema)}.{identifier(routine.name)}({', '.join(routine.arguments)});"


class TableStatements:
    """The statements about one table of one schema."""

    def __init__(self, schema: str, table: str) -> None:
        self._name = f"{identifier(schema)}.{identifier(table)}"
        self._schema = identifier(schema)
        self._table = table

    def create(self, table: Table) -> str:
        """The table with its columns and all constraints but references, which need the other tables."""
        lines = [f"{identifier(column.name)} {column.sql_type}" for column in table.columns]
        lines += [_constraint(item) for item in table.constraints if item.kind != "reference"]
        by_range = f" PARTITION BY RANGE ({identifier(table.partitioned_by)})" if table.partitioned_by else ""
        return f"CREATE TABLE {self._name} (\n    " + ",\n    ".join(lines) + f"\n){by_range};"

    def create_rest(self, rest: str) -> str:
        """The partition for rows of which no other one is there."""
        return f"CREATE TABLE {self._schema}.{identifier(rest)} PARTITION OF {self._name} DEFAULT;"

    def attach_rest(self, rest: str) -> str:
        return f"ALTER TABLE {self._name} ATTACH PARTITION {self._schema}.{identifier(rest)} DEFAULT;"

    def secure_partition(self) -> str:
        """Takes every right on a partition away: its rows are read through the table."""
        return f"SELECT {self._schema}.{identifier('partition_secure')}({literal(self._table)});"

    def rename(self, name: str) -> str:
        return f"ALTER TABLE {self._name} RENAME TO {identifier(name)};"

    def rename_index(self, name: str, new: str) -> str:
        return f"ALTER INDEX {self._schema}.{identifier(name)} RENAME TO {identifier(new)};"

    def never_null(self, column: str) -> str:
        return f"ALTER TABLE {self._name} ALTER COLUMN {identifier(column)} SET NOT NULL;"

    def show_owner_all(self) -> str:
        """Without this, row-level security could hide rows from the owner, who is about to move them."""
        return f"ALTER TABLE {self._name} NO FORCE ROW LEVEL SECURITY;"

    def fill_from(self, other: str, columns: tuple[str, ...]) -> str:
        """Copies every row of `other`, and fails unless they are all there then."""
        source, named = f"{self._schema}.{identifier(other)}", _list(columns)
        return (
            f"INSERT INTO {self._name} ({named}) SELECT {named} FROM {source};\n"  # noqa: S608 - quoted
            f"DO $$\nBEGIN\n"
            f"    IF (SELECT count(*) FROM {self._name}) <> (SELECT count(*) FROM {source}) THEN\n"
            f"        RAISE EXCEPTION 'rows were lost on the way';\n"
            f"    END IF;\nEND\n$$;"
        )

    def drop(self) -> str:
        return f"DROP TABLE {self._name};"

    def add_column(self, column: Column) -> str:
        return f"ALTER TABLE {self._name} ADD COLUMN {identifier(column.name)} {column.sql_type};"

    def drop_column(self, name: str) -> str:
        return f"ALTER TABLE {self._name} DROP COLUMN {identifier(name)};"

    def add_constraint(self, constraint: Constraint, *, old_rows: bool) -> str:
        """With `old_rows`, a requirement holds for rows that are written from now on: older ones have no value."""
        unchecked = " NOT VALID" if old_rows and constraint.kind == "required" else ""
        return f"ALTER TABLE {self._name} ADD {_constraint(constraint)}{unchecked};"

    def drop_constraint(self, name: str) -> str:
        return f"ALTER TABLE {self._name} DROP CONSTRAINT {identifier(name)};"

    def create_index(self, index: Index) -> str:
        return f"CREATE INDEX {identifier(index.name)} ON {self._name} ({_list(index.columns)});"

    def drop_index(self, name: str) -> str:
        return f"DROP INDEX {self._schema}.{identifier(name)};"

    def comment(self, text: str) -> str:
        return f"COMMENT ON TABLE {self._name} IS {literal(text)};"

    def comment_column(self, column: Column) -> str:
        return f"COMMENT ON COLUMN {self._name}.{identifier(column.name)} IS {literal(column.comment)};"

    def enable_row_security(self) -> tuple[str, ...]:
        return (
            f"ALTER TABLE {self._name} ENABLE ROW LEVEL SECURITY;",
            f"ALTER TABLE {self._name} FORCE ROW LEVEL SECURITY;",
        )

    def create_rule(self, rule: RowRule) -> str:
        return (
            f"CREATE POLICY {identifier(rule.name)} ON {self._name} "
            f"FOR {rule.command} TO {identifier(rule.role)} USING ({rule.using});"
        )

    def drop_rule(self, name: str) -> str:
        return f"DROP POLICY {identifier(name)} ON {self._name};"

    def open_trigger(self, trigger: Trigger) -> str:
        """What is done with the rows that were there before the trigger was."""
        return f"SELECT {self._schema}.{identifier(trigger.opening)}();"

    def create_trigger(self, trigger: Trigger) -> str:
        return f"CREATE TRIGGER {identifier(trigger.name)} {trigger.event} ON {self._name} {trigger.means};"

    def drop_trigger(self, name: str) -> str:
        return f"DROP TRIGGER {identifier(name)} ON {self._name};"

    def revoke_all(self) -> str:
        """Takes back what default privileges may have given to others when the table was made."""
        return f"REVOKE ALL ON TABLE {self._name} FROM PUBLIC, {_list((ANONYMOUS, AUTHENTICATED, SUPABASE_SERVICE))};"

    def revoke(self, role: str) -> str:
        return f"REVOKE ALL ON TABLE {self._name} FROM {identifier(role)};"

    def grant(self, grant: Grant) -> str:
        return f"GRANT {', '.join(grant.privileges)} ON TABLE {self._name} TO {identifier(grant.role)};"


def _constraint(constraint: Constraint) -> str:
    return f"CONSTRAINT {identifier(constraint.name)} {constraint.definition}"
