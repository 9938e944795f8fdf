"""The functions that make and drop partitions, as the schema holds them.

Only the owner of a table may do either, and jobs are not the owner: so they are functions of the owner's (SECURITY
DEFINER), for the role of retention alone, that do nothing else. A partition is told apart by its name and its range:
`usage__p20261123` holds the rows of 23 November 2026, UTC. `usage__rest` holds what has no partition: nothing is lost
because a job was late. Nobody has rights on a partition itself: rows are read through the table, under its rules.

Nothing here says how wide partitions are or when they go: that is declared, and carried out by `runtime/retention`.
"""

from crouter.plan.roles import ANONYMOUS, AUTHENTICATED, OWN, RETENTION, SUPABASE_SERVICE
from crouter.plan.schema import SCHEMA, Routine
from crouter.plan.sql import identifier

REST_SUFFIX = "__rest"
MOVED_MAX = 10_000
"""So many rows are moved from the rest into a new partition; their table is locked meanwhile."""

_S = identifier(SCHEMA)
_NOBODY = ", ".join(("PUBLIC", *map(identifier, (ANONYMOUS, AUTHENTICATED, SUPABASE_SERVICE, *OWN))))
_OWNERS = "SECURITY DEFINER SET search_path TO pg_catalog, pg_temp SET \"TimeZone\" TO 'UTC'"

# Months begin with the year, everything else with a Monday, so that a range does not depend on when it was made.
_START = """\
(width interval, moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT SET search_path TO pg_catalog, pg_temp
AS $routine$
    SELECT CASE WHEN months > 0
        THEN date_trunc('year', here) + make_interval(months => (extract(month FROM here)::int - 1) / months * months)
        ELSE date_bin(width, here, timestamp '2001-01-01 00:00:00')
    END AT TIME ZONE 'UTC'
    FROM (SELECT moment AT TIME ZONE 'UTC', extract(year FROM width)::int * 12 + extract(month FROM width)::int)
        AS given (here, months)
$routine$"""

# A table that was detached by hand has no range any more; its name says where it began.
_LIST = f"""\
(parent name) RETURNS TABLE (part name, starts timestamptz, ends timestamptz, attached boolean)
LANGUAGE sql STABLE STRICT {_OWNERS}
AS $routine$
    SELECT c.relname,
        coalesce(
            substring(bound FROM $$FROM \\('([^']+)'\\)$$)::timestamptz,
            to_timestamp(substring(c.relname FROM '[0-9]+$'), 'YYYYMMDDHH24')
        ),
        substring(bound FROM $$TO \\('([^']+)'\\)$$)::timestamptz,
        i.inhparent IS NOT NULL
    FROM pg_class AS c
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND NOT i.inhdetachpending
    CROSS JOIN LATERAL pg_get_expr(CASE WHEN i.inhparent IS NOT NULL THEN c.relpartbound END, c.oid) AS bound
    WHERE c.relnamespace = '{SCHEMA}'::regnamespace AND c.relkind = 'r'
        AND c.relname ~ ('^' || parent || '__p[0-9]{{8}}([0-9]{{2}})?$')
$routine$"""  # noqa: S608 - constants, quoted

_SECURE = f"""\
(part name) RETURNS void
LANGUAGE plpgsql STRICT SET search_path TO pg_catalog, pg_temp
AS $routine$
BEGIN
    EXECUTE format('REVOKE ALL ON TABLE {_S}.%I FROM {_NOBODY}', part);
    EXECUTE format('ALTER TABLE {_S}.%I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE {_S}.%I FORCE ROW LEVEL SECURITY', part);
    -- The owner counts and moves rows as a member of this role; the role itself has no right on the partition.
    EXECUTE format('CREATE POLICY "retention" ON {_S}.%I FOR ALL TO {identifier(RETENTION)} USING (true)', part);
END
$routine$"""

# Whoever adds a row that has no partition waits until the rest is unlocked, so none comes while its rows are moved.
_MAKE = f"""\
(parent name, width interval, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql STRICT {_OWNERS}
AS $routine$
DECLARE
    rest CONSTANT name := parent || '{REST_SUFFIX}';
    low timestamptz := {_S}."partition_start"(width, moment);
    high timestamptz := low + width;
    part name;
    by_column name;
    every_column text;
    waiting bigint;
    other record;
BEGIN
    SELECT a.attname INTO STRICT by_column FROM pg_partitioned_table AS p
    JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = format('{_S}.%I', parent)::regclass;
    PERFORM FROM {_S}."partition_list"(parent) AS l
    WHERE l.starts <= moment AND coalesce(l.ends > moment, l.starts = low);
    IF FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE {_S}.%I IN ACCESS EXCLUSIVE MODE', rest);
    -- Partitions of another width may be there from before; this one takes what is free between them.
    FOR other IN
        SELECT l.starts, l.ends FROM {_S}."partition_list"(parent) AS l
        WHERE l.attached AND l.starts < high AND l.ends > low
    LOOP
        IF other.starts <= moment AND other.ends > moment THEN
            RETURN false;
        ELSIF other.ends <= moment THEN
            low := greatest(low, other.ends);
        ELSE
            high := least(high, other.starts);
        END IF;
    END LOOP;
    EXECUTE format(
        'SELECT count(*) FROM (SELECT FROM {_S}.%1$I WHERE %2$I >= $1 AND %2$I < $2 LIMIT {MOVED_MAX} + 1) AS r',
        rest, by_column) INTO waiting USING low, high;
    IF waiting > {MOVED_MAX} THEN
        RETURN false;
    END IF;
    part := parent || '__p' || to_char(low, 'YYYYMMDD')
        || CASE WHEN low = date_trunc('day', low) THEN '' ELSE to_char(low, 'HH24') END;
    SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) INTO every_column FROM pg_attribute
    WHERE attrelid = format('{_S}.%I', parent)::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('CREATE TABLE {_S}.%I (LIKE {_S}.%I INCLUDING CONSTRAINTS)', part, parent);
    EXECUTE format(
        'WITH moved AS (DELETE FROM {_S}.%1$I WHERE %2$I >= $1 AND %2$I < $2 RETURNING %3$s)'
        ' INSERT INTO {_S}.%4$I (%3$s) SELECT %3$s FROM moved',
        rest, by_column, every_column, part) USING low, high;
    EXECUTE format('ALTER TABLE {_S}.%I ATTACH PARTITION {_S}.%I FOR VALUES FROM (%L) TO (%L)',
        parent, part, low, high);
    PERFORM {_S}."partition_secure"(part);
    EXECUTE format('COMMENT ON TABLE {_S}.%I IS %L', part, format('%s from %s until %s', parent, low, high));
    RETURN true;
END
$routine$"""  # noqa: S608 - constants, quoted

# Dropped in one step: a partition that is first detached is left behind when the job is killed in between.
_DROP = f"""\
(parent name, doomed name) RETURNS bigint
LANGUAGE plpgsql STRICT {_OWNERS}
AS $routine$
DECLARE
    gone bigint;
BEGIN
    PERFORM FROM {_S}."partition_list"(parent) AS l WHERE l.part = doomed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such partition' USING ERRCODE = 'undefined_table';
    END IF;
    -- Counted while readers go on and nobody writes to it; the table itself is locked for the drop only.
    EXECUTE format('LOCK TABLE {_S}.%I IN SHARE MODE', doomed);
    EXECUTE format('SELECT count(*) FROM {_S}.%I', doomed) INTO gone;
    EXECUTE format('DROP TABLE {_S}.%I', doomed);
    RETURN gone;
END
$routine$"""  # noqa: S608 - constants, quoted

PARTITION_ROUTINES = (
    Routine("partition_start", ("interval", "timestamptz"), _START, RETENTION),
    Routine("partition_list", ("name",), _LIST, RETENTION),
    Routine("partition_secure", ("name",), _SECURE, None),
    Routine("partition_make", ("name", "interval", "timestamptz"), _MAKE, RETENTION),
    Routine("partition_drop", ("name", "name"), _DROP, RETENTION),
)
"""In the order in which they have to be made."""
