"""`python -m bench [render|proxy] [--quick] [--json FILE]`: measures, and prints tables. Without a name, both."""

import argparse
import json
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from bench import machine
from bench.errors import BenchError
from bench.proxying import report as proxying_report
from bench.proxying import run as proxying
from bench.proxying.nginx import nginx_program
from bench.rendering import run as rendering
from crouter.embedded import ClusterError, PostgresBinaries

POLICY = Path(__file__).resolve().parents[1] / "policy.yaml"
BENCHES = ("render", "proxy")


def main(arguments: list[str]) -> int:
    """Runs what was asked for. Gives the exit status: 0 measured, 1 not."""
    asked = _parser().parse_args(arguments)
    # What was started is ended on this way out as well.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    command = shlex.join(["python", "-m", "bench", *arguments])
    result: dict[str, Any] = {"command": command, "machine": _facts()}
    _say(f"# {command}\n\n" + "".join(f"- {name}: {fact}\n" for name, fact in result["machine"].items()))
    try:
        for bench in [asked.bench] if asked.bench else BENCHES:
            result[bench] = _run(bench, quick=asked.quick)
    except (BenchError, ClusterError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1, default=list) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures what Crouter costs.")
    parser.add_argument("bench", nargs="?", choices=BENCHES, help="one of the two; both if left out")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round and sample to this file")
    return parser


def _run(bench: str, *, quick: bool) -> dict[str, Any]:
    if bench == "render":
        rendered = rendering.measure(POLICY, quick=quick, tell=_progress)
        _say(f"\n## Rendering\n\n{rendering.report(rendered)}")
        return rendering.values(rendered)
    proxied = proxying.measure(POLICY, proxying.Plan.of(quick=quick), _progress)
    _say(f"\n## Proxying\n\n{proxying_report.report(proxied)}")
    return proxying_report.values(proxied)


def _facts() -> dict[str, str]:
    nginx = nginx_program()
    return machine.facts(
        nginx=machine.program_version(nginx, "-v") if nginx else "not installed",
        PostgreSQL=PostgresBinaries.embedded().version,
    )


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
