"""What `crouter run` shows: how the start goes on, and then everything that is needed to use the service."""

import shutil
import sys
from pathlib import Path

from rich.text import Text

from crouter.cli.amounts import dollars
from crouter.cli.terminal import Terminal
from crouter.contract.deployment import Deployment
from crouter.development.pasteable import claude_code, curl, python_sdk
from crouter.development.state_folder import DevelopmentFacts
from crouter.runtime.compiled.use import is_compiled
from crouter.runtime.database.migrations import Step


class StartScreen:
    """Prints the report of a development run. Commands stand on lines of their own, unwrapped, ready to paste."""

    def __init__(self, terminal: Terminal, deployment: Deployment) -> None:
        self._terminal = terminal
        self._deployment = deployment

    def step(self, sentence: str) -> None:
        """Something begins that may take a moment."""
        self._terminal.note(f"{sentence} …", style="dim")

    def migrated(self, step: Step) -> None:
        """A migration was applied."""
        self._terminal.note(f"  {step.migration.file_name}", style="dim")

    def ready(self, facts: DevelopmentFacts, balance_nanousd: int) -> None:
        """The service answers."""
        self._places(facts, balance_nanousd)
        self._commands("Ask it something", curl(facts))
        self._commands("The same, event by event", curl(facts, stream=True))
        self._commands("Claude Code", claude_code(facts))
        self._commands("Python", python_sdk(facts))
        self._terminal.line()
        self._terminal.line("Ctrl-C stops everything. The database stays in .crouter/postgres.", style="dim")
        self._terminal.line()

    def stopping(self) -> None:
        """The end was asked for."""
        self._terminal.note("Stopping …", style="dim")

    def _places(self, facts: DevelopmentFacts, balance_nanousd: int) -> None:
        identity = self._deployment.identity
        line = self._terminal.line
        line()
        line(f"{identity.name} is running, {identity.description}", style="bold green")
        line()
        self._row("Service", facts.url)
        self._row("Dashboard", facts.dashboard_url)
        self._row("Policy", self._policy_url(facts))
        self._row("API key", facts.api_key)
        self._row("Credit", dollars(balance_nanousd))
        if facts.upstream == "simulator":
            self._row("Upstream", "the built-in simulator: no model is called, nothing leaves this machine")
            self._row("", "with ANTHROPIC_API_KEY set, requests go to Anthropic")
        else:
            self._row("Upstream", "Anthropic, with the key in ANTHROPIC_API_KEY: requests cost money")
        if is_compiled():
            self._row("Data path", "compiled")
        else:
            self._row("Data path", f"interpreted; `{_own_name()} compile` makes it quicker")
        if self._deployment.mail is not None:
            self._row("Mail", "written to .crouter/mail/*.eml, and sent to nobody")
        self._row("Retention", f"{_own_name()} retention run; on schedule too, as .crouter/worker.log tells")
        self._row("Facts", ".crouter/dev.json")

    def _policy_url(self, facts: DevelopmentFacts) -> str:
        # Without its suffix the page answers in the format that is asked for.
        pages = (item.path for item in self._deployment.web.documents if item.media_type.startswith("text/html"))
        return facts.url + next(pages, "/").removesuffix(".html")

    def _row(self, label: str, value: str) -> None:
        self._terminal.out.print(Text.assemble((f"  {label:<11}", "bold"), value), soft_wrap=True)

    def _commands(self, title: str, text: str) -> None:
        self._terminal.line()
        self._terminal.line(f"# {title}", style="cyan")
        self._terminal.line(text)


def _own_name() -> str:
    """How this program is called from the folder it was called in."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "crouter" and shutil.which("crouter") is None else "crouter"
