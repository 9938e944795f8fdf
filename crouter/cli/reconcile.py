"""`crouter reconcile`: our books beside the upstream's report and Stripe's, now. Names nobody.

Exits with 0 where nothing differs or all of it is explained, with 2 where something is not.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from crouter.cli.amounts import dollars
from crouter.cli.groups import OPERATING
from crouter.cli.options import JsonOption
from crouter.cli.outcome import Status
from crouter.cli.project import Project
from crouter.cli.store import store_environment, with_stores
from crouter.cli.terminal import Terminal, counted
from crouter.runtime.administration import Administration
from crouter.runtime.reconciliation.figure import CAUSES, Figure
from crouter.runtime.reconciliation.run import DAYS, DAYS_MAX, Reconciled, Reconciliation

_MONEY = "_nanousd"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile", rich_help_panel=OPERATING)(reconcile)


def reconcile(
    days: Annotated[
        int, typer.Option("--days", min=1, max=DAYS_MAX, help="How many whole days, up to yesterday.")
    ] = DAYS,
    every: Annotated[bool, typer.Option("--all", help="Also show figures that agree.")] = False,
    json: JsonOption = False,
) -> None:
    """Compare our books with themselves, with the upstream's usage report and with Stripe, day by day.

    Shows what differs, and why. The results are kept: `/admin/reconciliation` shows them, too.
    """
    environ = store_environment(Project.at())

    async def work(stores: Administration) -> Reconciled:
        return await Reconciliation(stores.deployment, stores.database, environ).run(datetime.now(UTC), days)

    terminal = Terminal()
    with terminal.working("Asking the other sides"):
        found = with_stores(work)
    if json:
        terminal.json({"figures": [figure_facts(figure) for figure in found.figures], "unasked": dict(found.unasked)})
    else:
        _tell(terminal, found, every)
    if found.unexplained:
        raise typer.Exit(Status.DIFFERENCE)


def _tell(terminal: Terminal, found: Reconciled, every: bool) -> None:
    for figure in found.figures:
        if every or figure.state != "agrees":
            terminal.line(figure_line(figure))
            for cause, amount in figure.causes.items():
                terminal.line(f"    {_shown(figure, amount)}: {CAUSES[cause]}")
    for side, why in found.unasked.items():
        terminal.note(f"{side} was not asked: {why}")
    agreeing = sum(figure.state == "agrees" for figure in found.figures)
    explained = sum(figure.state == "explained" for figure in found.figures)
    terminal.line(
        f"{counted(len(found.figures), 'figure')}: {agreeing} agree, {explained} explained, "
        f"{len(found.unexplained)} unexplained"
    )


def figure_line(figure: Figure) -> str:
    """A figure as one line."""
    head = f"{figure.day}  {figure.source:<9}{figure.subject}  {figure.measure.removesuffix(_MONEY)}"
    if figure.theirs is None:
        return f"{head}: not known"
    return (
        f"{head}: ours {_shown(figure, figure.ours)}, theirs {_shown(figure, figure.theirs)}, "
        f"difference {_shown(figure, figure.difference)} ({figure.state})"
    )


def figure_facts(figure: Figure) -> dict[str, object]:
    """A figure for scripts."""
    return {
        "source": figure.source,
        "day": figure.day.isoformat(),
        "subject": figure.subject,
        "measure": figure.measure,
        "ours": figure.ours,
        "theirs": figure.theirs,
        "causes": dict(figure.causes),
        "unexplained": figure.unexplained,
        "state": figure.state,
    }


def _shown(figure: Figure, amount: int) -> str:
    return dollars(amount) if figure.measure.endswith(_MONEY) else f"{amount:,}"
