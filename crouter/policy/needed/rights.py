"""What people ask about their data, copies of it, deletions, and who looked."""

from collections.abc import Mapping

from crouter.policy.needed.column import ACCESS, ACCOUNT, KEY, NeededColumn, NeededTable

TABLES: Mapping[str, NeededTable] = {
    "data_request": NeededTable(
        label="privacy requests",
        when="you ask for a copy, a correction or a deletion of your data, or object to its use",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
            "received_at": NeededColumn(
                "timestamp",
                "time of the request",
                purposes=("rights",),
                standard={"data_category": "user.behavior", "dpv": "ServiceConsumptionBehaviour"},
            ),
            "kind": NeededColumn(
                "one_of",
                "says what was asked for",
                values=(
                    "copy",
                    "correction",
                    "deletion",
                    "objection",
                ),
            ),
            "channel": NeededColumn(
                "one_of",
                "says how it was asked for",
                values=(
                    "page",
                    "contact",
                ),
            ),
            "state": NeededColumn(
                "one_of",
                "says how far the answer is",
                changes=True,
                values=(
                    "received",
                    "acknowledged",
                    "extended",
                    "answered",
                    "refused",
                    "withdrawn",
                ),
            ),
            "reason": NeededColumn(
                "one_of",
                "gives the reason of an extension or a refusal",
                written_always=False,
                changes=True,
                values=(
                    "complex",
                    "many_requests",
                    "identity_not_proven",
                    "manifestly_unfounded",
                    "excessive",
                    "rights_of_others",
                    "law_requires_keeping",
                    "no_such_data",
                ),
            ),
            "due_at": NeededColumn("timestamp", "the moment by which the answer is due", changes=True),
            "acknowledged_at": NeededColumn(
                "timestamp", "says when the person was told that it has come", written_always=False, changes=True
            ),
            "extended_at": NeededColumn(
                "timestamp", "says when the deadline was extended", written_always=False, changes=True
            ),
            "closed_at": NeededColumn("timestamp", "ends the request", written_always=False, changes=True),
            "warned": NeededColumn("count", "how many warnings of its deadline were given", changes=True),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "data_copy": NeededTable(
        label="copies of your data",
        when="you ask for a copy of your data",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
            "data_request_id": NeededColumn("reference", "joins the copy to the request for it", to="data_request"),
            "state": NeededColumn(
                "one_of",
                "says how far the copy is",
                changes=True,
                values=(
                    "waiting",
                    "making",
                    "ready",
                    "taken",
                    "failed",
                ),
            ),
            "opener": NeededColumn(
                "sealed", "opens the pieces until the copy was taken", written_always=False, changes=True
            ),
            "rows_done": NeededColumn("count", "how many rows are in it", changes=True),
            "rows_total": NeededColumn("count", "how many rows it will have", changes=True),
            "size_bytes": NeededColumn("count", "how large the file is", changes=True),
            "made_at": NeededColumn("timestamp", "begins the time in which it can be taken"),
            "worked_at": NeededColumn(
                "timestamp", "says when its making last went on", written_always=False, changes=True
            ),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "copy_piece": NeededTable(
        label="pieces of copies",
        when="a copy of your data is made",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
            "copy_id": NeededColumn("reference", "joins the piece to its copy", to="data_copy"),
            "number": NeededColumn("count", "orders the pieces"),
            "part": NeededColumn("sealed", "holds the bytes of this piece"),
            "made_at": NeededColumn("timestamp", "begins the time in which it is kept"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "erasure": NeededTable(
        label="evidence of deletions",
        when="the deletion of an account is asked for",
        subject="none",
        columns={
            "id": KEY,
            "account": NeededColumn("uuid", "names the account until it is erased", written_always=False, changes=True),
            "tombstone": NeededColumn(
                "keyed_hash", "finds the deletion again after a restore", written_always=False, changes=True
            ),
            "asked_at": NeededColumn("timestamp", "starts the clock"),
            "due_at": NeededColumn("timestamp", "the moment by which everything is gone"),
            "state": NeededColumn(
                "one_of",
                "says how far the deletion is",
                changes=True,
                values=(
                    "waiting",
                    "erased",
                    "done",
                    "withdrawn",
                ),
            ),
            "credit": NeededColumn(
                "one_of",
                "says what becomes of unused credit",
                values=(
                    "no_credit",
                    "refund",
                    "given_up",
                ),
            ),
            "erased_at": NeededColumn(
                "timestamp", "says when the data here was gone", written_always=False, changes=True
            ),
            "kept_until": NeededColumn(
                "timestamp", "says when what a law keeps is gone too", written_always=False, changes=True
            ),
            "ended_at": NeededColumn("timestamp", "ends the deletion", written_always=False, changes=True),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "erasure_step": NeededTable(
        label="steps of deletions",
        when="the deletion of an account is asked for",
        subject="none",
        columns={
            "id": KEY,
            "erasure_id": NeededColumn("reference", "joins the step to its deletion", to="erasure"),
            "processor": NeededColumn("text", "names the processor"),
            "pointer": NeededColumn(
                "sealed", "finds the copy of the processor until it is gone", written_always=False, changes=True
            ),
            "state": NeededColumn(
                "one_of",
                "says how far the step is",
                changes=True,
                values=(
                    "waiting",
                    "done",
                    "nothing_held",
                ),
            ),
            "attempts": NeededColumn("count", "how often the processor was asked", changes=True),
            "error": NeededColumn("text", "names the kind of the last failure", written_always=False, changes=True),
            "next_at": NeededColumn("timestamp", "the moment of the next attempt", changes=True),
            "asked_at": NeededColumn("timestamp", "begins the time in which it is kept"),
            "ended_at": NeededColumn("timestamp", "ends the step", written_always=False, changes=True),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "access_record": NeededTable(
        label="access records",
        when="an operator looks at your data",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
            "operator": NeededColumn("text", "who looked", purposes=("accountability",), standard=ACCESS),
            "accessed": NeededColumn(
                "text", "what was looked at or changed", purposes=("accountability",), standard=ACCESS
            ),
            "reason": NeededColumn("text", "the reason given", purposes=("accountability",), standard=ACCESS),
            "occurred_at": NeededColumn("timestamp", "time of access", purposes=("accountability",), standard=ACCESS),
        },
        may_be_missing=True,
    ),
    "consent": NeededTable(
        label="your choice and its time under a random number",
        when="you choose about analytics",
        subject="none",
        columns={
            "id": KEY,
            "consent_id": NeededColumn("uuid", "the random number that the browser keeps beside the choice"),
            "choice": NeededColumn("one_of", "what was chosen about analytics", values=("accepted", "refused")),
            "policy_digest": NeededColumn("text", "names the policy that was shown"),
            "recorded_at": NeededColumn("timestamp", "when it was chosen"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
}
