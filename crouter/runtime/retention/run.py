"""Carries the declared rules out, one after the other. Safe to kill at any moment and to run twice at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase, Expire
from crouter.runtime.database.errors import DatabaseError, translated
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.erase import Erasure
from crouter.runtime.retention.evidence import Evidence
from crouter.runtime.retention.expire import expire_parts
from crouter.runtime.retention.fold import BalanceMovedError
from crouter.runtime.retention.options import Outcome, Progress, RetentionOptions, RetentionRefusedError, RunResult
from crouter.runtime.retention.partitions import partitions_of
from crouter.runtime.retention.parts import Part
from crouter.runtime.retention.session import Session, clock, open_session, rule_lock

Rule = Expire | Erase


class _StoppedError(Exception):
    """Somebody asked the run to stop. What it has done so far is whole; the next run goes on."""


def run_retention(
    dsn: str,
    deployment: Deployment,
    options: RetentionOptions,
    progress: Callable[[Progress], None] = lambda progress: None,
    finished: Callable[[RunResult], None] = lambda result: None,
) -> list[RunResult]:
    """Carry out the rules that `options` names; a result for each, in declared order, also told to `finished`.

    Blocks until all are done. A rule that fails does not stop the others. Raises RetentionRefusedError if the request
    makes no sense, DatabaseError if the database cannot be reached at all.
    """
    rules = rules_of(deployment, options.rule)
    with translated(), open_session(dsn, deployment.database_schema, read_only=options.dry_run) as connection:
        as_of = moment(connection, options)
        results = []
        for rule in rules:
            result = _Run(connection, deployment, rule, options, as_of, progress).result()
            finished(result)
            results.append(result)
    return results


def rules_of(deployment: Deployment, name: str | None) -> tuple[Rule, ...]:
    """All rules, or the one of that name. Raises RetentionRefusedError when there is none."""
    rules: tuple[Rule, ...] = (*deployment.retention.expire, *deployment.retention.erase)
    found = tuple(rule for rule in rules if name in (None, rule.name))
    if name is not None and not found:
        raise RetentionRefusedError(f"no retention rule has this name; there are {', '.join(r.name for r in rules)}")
    return found


def moment(connection: Session, options: RetentionOptions) -> datetime:
    """The moment that ages are measured at. Raises RetentionRefusedError for one that is not to be taken."""
    now = clock(connection)
    if options.as_of is None:
        return now
    if options.as_of.tzinfo is None:
        raise RetentionRefusedError("the moment has no time zone: write it like 2026-01-31T00:00:00Z")
    if options.as_of > now and not options.allow_future:
        raise RetentionRefusedError(
            "the moment is in the future, and rows would go before their time: "
            "--allow-future does so on a database for tests"
        )
    return options.as_of.astimezone(UTC)


def rule_parts(
    connection: Session, deployment: Deployment, rule: Rule, as_of: datetime, evidence: Evidence | None = None
) -> tuple[Part, ...]:
    """What the rule removes at that moment. Raises RetentionRefusedError for what cannot be carried out."""
    if isinstance(rule, Expire):
        return expire_parts(deployment, rule, Cutoff.compute(connection, rule.keep, as_of), evidence)
    return (Erasure.of(connection, deployment, rule, Cutoff.compute(connection, rule.grace, as_of)),)


class _End(NamedTuple):
    outcome: Outcome
    error: str = ""
    sentence: str = ""


@dataclass
class _Run:
    """One rule, once."""

    connection: Session
    deployment: Deployment
    rule: Rule
    options: RetentionOptions
    as_of: datetime
    progress: Callable[[Progress], None]
    removed: int = 0
    expected: int = 0
    share_percent: float = 0.0

    def result(self) -> RunResult:
        began = time.monotonic()
        end = self._end()
        return RunResult(
            rule=self.rule.name,
            outcome=end.outcome,
            as_of=self.as_of,
            removed=self.removed,
            expected=self.expected,
            share_percent=round(self.share_percent, 1),
            duration_ms=round(1000 * (time.monotonic() - began)),
            error=end.error,
            sentence=end.sentence,
        )

    def _end(self) -> _End:
        try:
            with translated():
                if self.options.dry_run:
                    return self._carry_out(self._evidence(None))
                with rule_lock(self.connection, self.deployment.database_schema, self.rule.name) as held:
                    if not held:
                        return _End("skipped", sentence="another run of this rule is under way")
                    return self._with_evidence()
        except DatabaseError as problem:
            return _End("failed", f"sqlstate_{problem.code or 'none'}", f"the database ended the run ({problem})")
        except RetentionRefusedError as refusal:
            return _End("refused", "impossible", str(refusal))

    def _evidence(self, record: str | None) -> Evidence:
        declared = self.deployment.record(record) if record else None
        return Evidence(declared, self.rule.name, self.deployment.policy_digest)

    def _with_evidence(self) -> _End:
        evidence = self._evidence(self.deployment.retention.evidence)
        evidence.begin(self.connection, self.as_of)
        try:
            end = self._carry_out(evidence)
        except BaseException as problem:
            # The connection may be what failed; then the next run of the rule marks this one.
            if not self.connection.broken and not self.connection.closed:
                evidence.end(self.connection, "refused" if isinstance(problem, RetentionRefusedError) else "failed")
            raise
        assert end.outcome in ("complete", "refused", "failed")
        evidence.end(self.connection, end.outcome)
        return end

    def _carry_out(self, evidence: Evidence) -> _End:
        parts = rule_parts(self.connection, self.deployment, self.rule, self.as_of, evidence)
        refusal = self._weigh(parts)
        if refusal or self.options.dry_run:
            return _End("refused", "implausible_share", refusal) if refusal else _End("dry_run")
        try:
            if isinstance(self.rule, Expire):
                for partitions in partitions_of(self.deployment, self.rule):
                    partitions.make_ahead(self.connection)
            for part in parts:
                self._remove(part, evidence)
        except _StoppedError:
            return _End("failed", "stopped", "the run was asked to stop; the next one goes on")
        except BalanceMovedError:
            return _End(
                "failed", "balance_moved", "summing entries up would have changed a balance: nothing was summed"
            )
        if any(part.doomed.any_left(self.connection) for part in parts):
            return _End("failed", "rows_in_use", "some rows were in use or referred to: the next run tries again")
        return _End("complete")

    def _weigh(self, parts: tuple[Part, ...]) -> str:
        """Count what would go; the sentence of a refusal if that is more than is plausible."""
        options, refusal = self.options, ""
        for part in parts:
            share = part.share(self.connection, options.share_percent_max)
            self.expected += part.expected(self.connection)
            self.share_percent = max(self.share_percent, share.percent)
            if share.implausible(options.share_percent_max, options.rows_always_allowed):
                refusal = refusal or (
                    f"{share.rows} rows of {part.doomed.record}, {share.percent:.1f} % of it, would go in one run; "
                    f"{options.share_percent_max} % is the most that goes without a word. Look at the clock and at "
                    f"policy.yaml, then run again with --allow-share {min(100, int(share.percent) + 1)}"
                )
        return refusal

    def _remove(self, part: Part, evidence: Evidence) -> None:
        expected, gone = part.expected(self.connection), 0

        def count(rows: int) -> None:
            if rows:
                evidence.removed(self.connection, rows)

        for rows in part.batches(self.connection, self.options.batch_rows, count):
            gone += rows
            self.removed += rows
            self.progress(Progress(self.rule.name, part.doomed.record, gone, expected))
            if self.options.stopped():
                raise _StoppedError
