"""The other side of every ledger entry, as the schema holds it: what makes a one-sided entry impossible.

The ledger is what customers have. Each of its entries moves money between them and an account of the operator's, and
the book says which: one row names both sides, `debit` and `credit`, so that no row can be out of balance in itself. The
database writes that row with the statement that writes the entries: one for each kind, however many entries, so that
two thousand charges that are shipped together cost one row more. Whoever writes entries - the service, a job, an
operator by hand - writes both sides or neither.

Taking entries away is balanced as well: summing old charges up (`retired` gives back at once what it took) and erasing
an account, whose rest stays in `retired`. Changing an entry is refused. Rows of the book that speak of customers cannot
be written by themselves, only with entries. So for every account of the book, and customers are one of them, credits
less debits sum to zero over all; and what the book says of customers is the ledger's sum. Both are looked at by
`crouter.runtime.ledger.trial_balance`.
"""

from crouter.plan.roles import SERVICE
from crouter.plan.schema import SCHEMA, Routine, Trigger
from crouter.plan.sql import identifier, literal
from crouter.policy.books import BOOK, CUSTOMERS, ENTRY_ACCOUNTS, LEDGER, RETIRED
from crouter.policy.model import Policy

_S = identifier(SCHEMA)
_BOOK, _LEDGER = f"{_S}.{identifier(BOOK)}", f"{_S}.{identifier(LEDGER)}"
_DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path TO pg_catalog, pg_temp"
_MARKED = " SET \"crouter.gathering\" TO 'on'"
_COLUMNS = "id, kind, debit, credit, amount_nanousd, occurred_at"


def keeps_books(policy: Policy) -> bool:
    """Whether the policy declares the two sides."""
    return BOOK in policy.data and LEDGER in policy.data


def book_routines(policy: Policy) -> tuple[Routine, ...]:
    """The functions, in the order in which they have to be made; none where there is no book."""
    if not keeps_books(policy):
        return ()
    fold = policy.data[LEDGER].fold
    accounts = {**ENTRY_ACCOUNTS, **({fold.into: RETIRED} if fold else {})}
    cases = " ".join(f"WHEN {literal(kind)} THEN {literal(account)}" for kind, account in accounts.items())
    account_of_kind = f"CASE e.kind {cases} END"
    return (
        Routine("book_of_entries", (), _posting("trigger", "RETURN NULL;", "entries", account_of_kind, 1), None),
        Routine("book_of_removed", (), _posting("trigger", "RETURN NULL;", "entries", literal(RETIRED), -1), None),
        Routine("book_opened", (), _posting("void", "", _LEDGER, account_of_kind, 1, _MARKED), None),
        Routine("book_written_alone", (), _ALONE, None),
        Routine("book_kept", (), _KEPT, None),
        Routine("book_gather", ("timestamptz",), _GATHER, SERVICE),
    )


def book_triggers(policy: Policy, table: str) -> tuple[Trigger, ...]:
    """Those of one table."""
    if not keeps_books(policy) or table not in (BOOK, LEDGER):
        return ()
    if table == LEDGER:
        return (
            _seen("ledger__entered", "AFTER INSERT", "NEW", "book_of_entries", opening="book_opened"),
            _seen("ledger__removed", "AFTER DELETE", "OLD", "book_of_removed"),
            _before("ledger__kept", "BEFORE UPDATE OR TRUNCATE"),
        )
    return (
        _seen("book__written", "AFTER INSERT", "NEW", "book_written_alone"),
        _before("book__kept", "BEFORE UPDATE OR DELETE OR TRUNCATE"),
    )


def _seen(name: str, event: str, rows: str, routine: str, opening: str = "") -> Trigger:
    means = f"REFERENCING {rows} TABLE AS entries FOR EACH STATEMENT EXECUTE FUNCTION {_S}.{identifier(routine)}()"
    return Trigger(name, event, means, opening)


def _before(name: str, event: str) -> Trigger:
    return Trigger(name, event, f'FOR EACH STATEMENT EXECUTE FUNCTION {_S}."book_kept"()')


def _posting(gives: str, end: str, source: str, account: str, sign: int, marked: str = "") -> str:
    """Writes the other side of `source`: a row for each kind whose sum is not nothing.

    A kind without an account gives a row without one, which the book's own constraints refuse.
    """
    amount = "sum(e.amount_nanousd)::bigint" if sign > 0 else "-sum(e.amount_nanousd)::bigint"
    ended = f"\n    {end}" if end else ""
    return f"""\
() RETURNS {gives}
{_DEFINER}{marked}
AS $routine$
BEGIN
    INSERT INTO {_BOOK} ({_COLUMNS})
    SELECT gen_random_uuid(), s.kind,
        CASE WHEN s.amount > 0 THEN s.account ELSE {literal(CUSTOMERS)} END,
        CASE WHEN s.amount > 0 THEN {literal(CUSTOMERS)} ELSE s.account END,
        abs(s.amount), clock_timestamp()
    FROM (SELECT e.kind, {account} AS account, {amount} AS amount FROM {source} AS e GROUP BY e.kind) AS s
    WHERE s.amount <> 0;{ended}
END
$routine$"""  # noqa: S608 - constants, quoted


# The depth tells whether the ledger's own trigger writes it; gathering is marked for the time of its function.
_ALONE = f"""\
() RETURNS trigger
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp
AS $routine$
BEGIN
    IF pg_trigger_depth() < 2 AND current_setting('crouter.gathering', true) IS DISTINCT FROM 'on'
        AND EXISTS (SELECT FROM entries AS e WHERE {literal(CUSTOMERS)} IN (e.debit, e.credit)) THEN
        RAISE EXCEPTION 'one side of an entry cannot be written alone' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$routine$"""

_KEPT = """\
() RETURNS trigger
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp
AS $routine$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('crouter.gathering', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'entries are written once' USING ERRCODE = 'check_violation';
END
$routine$"""

_GATHER = f"""\
(before timestamptz) RETURNS bigint
{_DEFINER}{_MARKED}
AS $routine$
DECLARE
    gone bigint;
BEGIN
    WITH doomed AS MATERIALIZED (
        SELECT b.ctid AS place FROM {_BOOK} AS b
        WHERE b.occurred_at < before AND b.occurred_at <> date_trunc('day', b.occurred_at, 'UTC')
            AND {literal(CUSTOMERS)} IN (b.debit, b.credit) AND b.kind = 'charge'
        ORDER BY b.occurred_at LIMIT 100000 FOR UPDATE SKIP LOCKED
    ), old AS (
        DELETE FROM {_BOOK} AS b USING doomed WHERE b.ctid = doomed.place RETURNING b.*
    ), new AS (
        INSERT INTO {_BOOK} ({_COLUMNS})
        SELECT gen_random_uuid(), o.kind, o.debit, o.credit, sum(o.amount_nanousd)::bigint,
            date_trunc('day', o.occurred_at, 'UTC')
        FROM old AS o GROUP BY o.kind, o.debit, o.credit, date_trunc('day', o.occurred_at, 'UTC')
    )
    SELECT count(*) INTO gone FROM old;
    RETURN gone;
END
$routine$"""  # noqa: S608 - constants, quoted
