"""What the operator's jobs leave behind, and mail on its way."""

from collections.abc import Mapping

from crouter.policy.needed.column import ACCOUNT, KEY, TELEMETRY, NeededColumn, NeededTable

TABLES: Mapping[str, NeededTable] = {
    "retention_run": NeededTable(
        label="evidence of retention runs",
        when="a retention job runs",
        subject="none",
        columns={
            "rule": NeededColumn("text", "names the retention rule"),
            "as_of": NeededColumn("timestamp", "the moment the rule was applied for"),
            "started_at": NeededColumn("timestamp", "start of the run"),
            "finished_at": NeededColumn("timestamp", "end of the run", written_always=False),
            "removed": NeededColumn("count", "how many rows went"),
            "outcome": NeededColumn("one_of", "how the run ended", values=("running", "complete", "refused", "failed")),
            "policy_digest": NeededColumn("text", "names the policy that was applied"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "job_run": NeededTable(
        label="evidence of jobs",
        when="a job runs",
        subject="none",
        columns={
            "id": KEY,
            "name": NeededColumn("text", "names the job", unique=True),
            "started_at": NeededColumn("timestamp", "start of its last run", changes=True),
            "finished_at": NeededColumn(
                "timestamp", "end of its last complete run", written_always=False, changes=True
            ),
            "outcome": NeededColumn(
                "one_of", "how the last run ended", changes=True, values=("running", "complete", "failed")
            ),
            "error": NeededColumn("text", "names what ended the last run", written_always=False, changes=True),
        },
        may_be_missing=True,
    ),
    "outbox": NeededTable(
        label="mail data",
        when="there is something to tell you by mail",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
            "template": NeededColumn("text", "kind of mail", standard=TELEMETRY),
            "values": NeededColumn(
                "words",
                "amounts and dates it tells",
                standard={"data_category": "user.payment", "dpv": "Transaction"},
            ),
            "created_at": NeededColumn("timestamp", "time", standard=TELEMETRY),
            "state": NeededColumn(
                "one_of",
                "tells what is still to be sent",
                changes=True,
                values=("waiting", "sent", "dropped", "parked"),
            ),
            "attempts": NeededColumn("count", "bounds how often it is tried", changes=True),
            "next_at": NeededColumn("timestamp", "the moment of the next attempt", changes=True),
            "error": NeededColumn(
                "text", "names what stood against the last attempt", written_always=False, changes=True
            ),
        },
        may_be_missing=True,
    ),
    "published_version": NeededTable(
        label="evidence of published versions",
        when="a version of this policy is published",
        subject="none",
        columns={
            "id": KEY,
            "name": NeededColumn("text", "names the version", unique=True),
            "policy_digest": NeededColumn("text", "names what it says"),
            "effective_at": NeededColumn("timestamp", "the moment from which it is in force"),
            "published_at": NeededColumn("timestamp", "the moment of publication"),
            "announced_at": NeededColumn(
                "timestamp",
                "the moment at which every account had been told",
                written_always=False,
                changes=True,
            ),
        },
        may_be_missing=True,
    ),
    "reconciliation": NeededTable(
        label="results of reconciliation",
        when="books are compared",
        subject="none",
        columns={
            "id": KEY,
            "run_id": NeededColumn("uuid", "joins the results of one run"),
            "checked_at": NeededColumn("timestamp", "the moment of the comparison"),
            "source": NeededColumn(
                "one_of", "what our books were compared with", values=("ledger", "stripe", "upstream")
            ),
            "day": NeededColumn("timestamp", "the day that is compared"),
            "subject": NeededColumn("text", "the model or the kind of movement"),
            "measure": NeededColumn("text", "what was counted"),
            "ours": NeededColumn("count", "what our books say"),
            "theirs": NeededColumn("count", "what the other side says"),
            "explanations": NeededColumn("counts", "how much of the difference has which cause"),
            "state": NeededColumn(
                "one_of", "how the comparison ended", values=("agrees", "explained", "unexplained", "unknown")
            ),
        },
        may_be_missing=True,
    ),
}
