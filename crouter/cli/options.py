"""Options that several commands have, so that they are called and explained alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

PolicyOption = Annotated[Path | None, typer.Option("--policy", help="The policy; policy.yaml unless given.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", help="The folder of generated files; generated/ beside the policy.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
