"""`python -m bench [render|proxy|soak] [--quick] [--json FILE] [--document]`: measures, and prints tables."""

import argparse
import json
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from bench import machine
from bench.document import write_parts
from bench.errors import BenchError
from bench.proxying import report as proxying_report
from bench.proxying import run as proxying
from bench.proxying import soak as soaking
from bench.proxying.loads import Plan
from bench.proxying.peers.installing import install_gateways
from bench.proxying.plots import draw
from bench.proxying.processes import CACHE
from bench.rendering import run as rendering
from crouter.embedded import ClusterError, PostgresBinaries

ROOT = Path(__file__).resolve().parents[1]
POLICY = ROOT / "policy.yaml"
DOCUMENT = ROOT / "docs" / "performance.md"
RESULTS = CACHE / "results"
BENCHES = ("render", "proxy", "soak")
SOAK_MINUTES = 30.0


def main(arguments: list[str]) -> int:
    """Runs what was asked for. Gives the exit status: 0 measured, 1 not."""
    asked = _parser().parse_args(arguments)
    # What was started is ended on this way out as well.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    command = shlex.join(["python", "-m", "bench", *arguments])
    facts = machine.facts(PostgreSQL=PostgresBinaries.embedded().version)
    result: dict[str, Any] = {"command": command, "machine": facts}
    _say(f"# {command}\n\n" + "".join(f"- {name}: {fact}\n" for name, fact in facts.items()))
    parts: dict[str, str] = {}
    try:
        if asked.install_peers:
            install_gateways(_progress)
        for bench in _benches(asked):
            result[bench], found = _run(bench, asked)
            parts |= {name: f"`{command}` on {_where(facts)}\n\n{text}" for name, text in found.items()}
        if asked.document:
            write_parts(DOCUMENT, parts)
    except (BenchError, ClusterError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    path = asked.json or RESULTS / f"{'-'.join(_benches(asked))}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, default=list) + "\n", encoding="utf-8")
    _progress(f"every sample: {path}")
    if any(result[bench].get("miscounted") for bench in _benches(asked)):
        sys.stderr.write("bench: Crouter has metered another number of requests than it has answered\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures what Crouter costs.")
    parser.add_argument("bench", nargs="?", choices=BENCHES, help="one of them; render and proxy if left out")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: to see that it runs")
    parser.add_argument("--install-peers", action="store_true", help="first install other gateways, pinned, for proxy")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="run soak, for so long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round and sample to this file")
    parser.add_argument("--document", action="store_true", help="put tables and pictures into docs/performance.md")
    return parser


def _benches(asked: argparse.Namespace) -> tuple[str, ...]:
    if asked.bench:
        return (asked.bench,)
    return ("soak",) if asked.soak is not None else ("render", "proxy")


def _run(bench: str, asked: argparse.Namespace) -> tuple[dict[str, Any], dict[str, str]]:
    """Values for JSON, and parts of the document by name."""
    if bench == "render":
        rendered = rendering.measure(POLICY, quick=asked.quick, tell=_progress)
        text = rendering.report(rendered)
        _say(f"\n## Rendering\n\n{text}")
        return rendering.values(rendered), {"render": text}
    if bench == "soak":
        soaked = soaking.soak(POLICY, SOAK_MINUTES if asked.soak is None else asked.soak, _progress)
        text = soaking.report(soaked)
        _say(f"\n## Soak\n\n{text}")
        return {**soaking.values(soaked), "miscounted": soaked.answered != soaked.metered}, {"soak": text}
    proxied = proxying.measure(POLICY, Plan.of(quick=asked.quick), _progress)
    _say(f"\n## Proxying\n\n{proxying_report.report(proxied)}")
    for path in draw(proxied, DOCUMENT.with_suffix("") if asked.document else RESULTS):
        _progress(f"picture: {path}")
    parts = {"proxy": proxying_report.summary(proxied), "proxy-spreads": "\n".join(proxying_report.spreads(proxied))}
    return {**proxying_report.values(proxied), "miscounted": proxied.miscounted}, parts


def _where(facts: dict[str, str]) -> str:
    wanted = (
        "processor", "memory", "kernel", "Python", "compiled by", "PostgreSQL", "load average at the start", "date",
    )  # fmt: skip
    return "; ".join(f"{name} {facts[name]}" if name != "processor" else facts[name] for name in wanted) + "."


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
