from crouter.plan.plan import make_plan
from crouter.plan.roles import ANONYMOUS, AUTHENTICATED, RETENTION, SERVICE, SUPABASE_SERVICE
from crouter.plan.schema import Table
from tests.cases.generate.cases import whole_policy

TABLES = {table.name: table for table in make_plan(whole_policy()).schema.tables}


def privileges(table: Table, role: str) -> tuple[str, ...]:
    return next((grant.privileges for grant in table.grants if grant.role == role), ())


def test_the_service_removes_nothing_and_changes_accounts_and_keys_only() -> None:
    for name, table in TABLES.items():
        given = privileges(table, SERVICE)
        assert given[:2] == ("SELECT", "INSERT")
        assert len(given) == (3 if name in ("account", "api_key") else 2)
        assert "DELETE" not in given


def test_nobody_changes_what_a_row_is_or_whose_it_is() -> None:
    (_, _, update) = privileges(TABLES["api_key"], SERVICE)
    assert update == 'UPDATE ("last_four", "lookup", "lookup_version", "revoked_at", "sealed")'


def test_retention_adds_evidence_and_sums_only() -> None:
    adds = {name for name, table in TABLES.items() if "INSERT" in privileges(table, RETENTION)}
    assert adds == {"ledger", "retention_run"}
    assert all("DELETE" in privileges(table, RETENTION) for table in TABLES.values())


def test_a_person_sees_rows_of_its_own_and_nothing_sealed() -> None:
    using = {table.name: rule.using for table in TABLES.values() for rule in table.rules if rule.role == AUTHENTICATED}
    owned = '"account_id" = (SELECT auth.uid())'
    assert using == {"account": '"id" = (SELECT auth.uid())', "usage": owned, "api_key": owned, "ledger": owned}
    (shown,) = privileges(TABLES["api_key"], AUTHENTICATED)
    assert shown.startswith("SELECT (")
    assert "sealed" not in shown
    assert '"lookup"' not in shown


def test_others_are_granted_nothing() -> None:
    for table in TABLES.values():
        assert privileges(table, ANONYMOUS) == privileges(table, SUPABASE_SERVICE) == ()


def test_what_belongs_to_a_row_of_a_person_is_the_persons_too() -> None:
    label = {
        "label": "labels", "when": "you name a key", "subject": "customer", "source": "crouter", "owner": "api_key",
        "technical": {
            "id": {"type": "uuid", "key": True, "why": "names it"},
            "api_key_id": {"type": "reference", "to": "api_key", "why": "joins it to its key"},
        },
    }  # fmt: skip
    tables = make_plan(whole_policy({"data.key_label": label})).schema.tables
    (using,) = (rule.using for rule in tables[-1].rules if rule.role == AUTHENTICATED)
    assert using == ('"api_key_id" IN (SELECT "id" FROM "crouter"."api_key" WHERE "account_id" = (SELECT auth.uid()))')
