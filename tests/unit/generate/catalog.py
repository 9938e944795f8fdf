"""Describes a database from PostgreSQL's own catalog, so that two can be compared."""

import psycopg

# Columns stand by name: one that was added later stands last in its table. Whether a constraint was checked for rows
# from before it existed is history, not state.
_QUERIES = (
    """SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
              col_description(c.oid, a.attnum)
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       WHERE c.relnamespace = 'crouter'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
             AND NOT a.attisdropped""",
    """SELECT 'table', relname, relrowsecurity::text, relforcerowsecurity::text, obj_description(oid), NULL
       FROM pg_class WHERE relnamespace = 'crouter'::regnamespace AND relkind IN ('r', 'p')""",
    """SELECT 'constraint', conrelid::regclass::text, conname, replace(pg_get_constraintdef(oid), ' NOT VALID', ''),
              NULL, NULL
       FROM pg_constraint WHERE connamespace = 'crouter'::regnamespace AND contype <> 'n'""",
    "SELECT 'index', tablename, indexname, indexdef, NULL, NULL FROM pg_indexes WHERE schemaname = 'crouter'",
    """SELECT 'rule', tablename, policyname, roles::text, cmd, qual || coalesce(with_check, '')
       FROM pg_policies WHERE schemaname = 'crouter'""",
    """SELECT 'grant', c.relname, NULL, acl.grantee::regrole::text, acl.privilege_type, NULL
       FROM pg_class c, aclexplode(c.relacl) acl
       WHERE c.relnamespace = 'crouter'::regnamespace AND c.relkind IN ('r', 'p')""",
    """SELECT 'column grant', c.relname, a.attname, acl.grantee::regrole::text, acl.privilege_type, NULL
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) acl
       WHERE c.relnamespace = 'crouter'::regnamespace AND NOT a.attisdropped""",
    """SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid), NULL, NULL
       FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
       WHERE c.relnamespace = 'crouter'::regnamespace AND NOT tgisinternal""",
    """SELECT 'function', proname, pg_get_function_identity_arguments(oid), prosrc, prosecdef::text, proacl::text
       FROM pg_proc WHERE pronamespace = 'crouter'::regnamespace""",
    """SELECT 'partitions', partrelid::regclass::text, pg_get_partkeydef(partrelid), NULL, NULL, NULL
       FROM pg_partitioned_table""",
    """SELECT 'schema grant', nspname, NULL, acl.grantee::regrole::text, acl.privilege_type, NULL
       FROM pg_namespace, aclexplode(nspacl) acl WHERE nspname = 'crouter'""",
)


def described(database: psycopg.Connection[tuple[object, ...]]) -> set[tuple[object, ...]]:
    """Every column, constraint, index, rule, comment and grant of the schema `crouter`."""
    return {row for query in _QUERIES for row in database.execute(query.encode()).fetchall()}
