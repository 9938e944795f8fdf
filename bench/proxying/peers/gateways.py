"""Other gateways for language models, with their logs and databases off, each in its own process.

LiteLLM and Portkey take Anthropic's requests; TensorZero knows OpenAI's shape and its own, so it translates. None of
them checks a key or records usage here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.proxying.dialects import Dialect
from bench.proxying.processes import first_line, free_port, program, wait_until_listening
from bench.proxying.traffic import MODEL

_LITELLM = """\
model_list:
  - model_name: {model}
    litellm_params:
      model: anthropic/{model}
      api_base: {origin}
      api_key: sk-ant-bench
litellm_settings:
  turn_off_message_logging: true
  disable_streaming_logging: true
  num_retries: 0
general_settings:
  disable_spend_logs: true
  disable_error_logs: true
"""
# Its server would write a line for each request.
_LITELLM_LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {name: {"level": "CRITICAL"} for name in ("uvicorn", "uvicorn.access", "uvicorn.error")},
}
_LITELLM_ENVIRON = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no fetching of a price list at the start
    "LITELLM_TELEMETRY": "False",
    "PYTHONPATH": "",
}
_TENSORZERO = """\
[gateway]
observability.enabled = false

[models.bench]
routing = ["anthropic"]

[models.bench.providers.anthropic]
type = "anthropic"
model_name = "{model}"
api_base = "{origin}/v1/"
"""
# The wheel holds the gateway's own HTTP server, and starts it for clients of OpenAI's library.
_TENSORZERO_START = """\
import sys, threading, tensorzero
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
print(gateway.base_url, flush=True)
threading.Event().wait()
"""
TENSORZERO_DIALECT = Dialect(
    path="/openai/v1/chat/completions", openai_model="tensorzero::model_name::bench", keeps_bytes=False
)
LITELLM_DIALECT = Dialect(keeps_bytes=False)


def portkey_dialect(upstream: int) -> Dialect:
    """Portkey is told with each request where it has to go."""
    headers = {"X-Portkey-Provider": "anthropic", "X-Portkey-Custom-Host": f"http://127.0.0.1:{upstream}/v1"}
    return Dialect(headers=headers, keeps_bytes=False)


@contextmanager
def litellm(installed: Path, upstream: int, folder: Path) -> Iterator[tuple[int, int]]:
    """LiteLLM's proxy with one worker: gives process id and port. Raises BenchError."""
    port = free_port()
    configuration = folder / "litellm.yaml"
    configuration.write_text(_LITELLM.format(model=MODEL, origin=f"http://127.0.0.1:{upstream}"), encoding="utf-8")
    log = folder / "litellm-log.json"
    log.write_text(json.dumps(_LITELLM_LOG), encoding="utf-8")
    command = [str(installed / "bin" / "litellm"), "--config", str(configuration), "--log_config", str(log)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    with _logged(*command, folder=folder, log="litellm.log", environ=_LITELLM_ENVIRON) as process:
        wait_until_listening(port, process)
        yield process.pid, port


@contextmanager
def portkey(installed: Path, upstream: int, folder: Path) -> Iterator[tuple[int, int]]:
    """Portkey's gateway without its console: gives process id and port. Raises BenchError."""
    node = shutil.which("node")
    if node is None:
        raise BenchError("Portkey needs node, and there is none")
    port = free_port()
    script = installed / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    environ = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    command = (node, str(script), "--headless", f"--port={port}")
    with _logged(*command, folder=folder, log="portkey.log", environ=environ) as process:
        wait_until_listening(port, process)
        yield process.pid, port


@contextmanager
def tensorzero(installed: Path, upstream: int, folder: Path) -> Iterator[tuple[int, int]]:
    """TensorZero's gateway as its wheel carries it: gives process id and port. Raises BenchError."""
    configuration = folder / "tensorzero.toml"
    configuration.write_text(_TENSORZERO.format(model=MODEL, origin=f"http://127.0.0.1:{upstream}"), encoding="utf-8")
    environ = {
        "ANTHROPIC_API_KEY": "sk-ant-bench",
        "RUST_LOG": "off",
        "TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS": "1",
        "PYTHONPATH": "",
    }
    command = (str(installed / "bin" / "python"), "-c", _TENSORZERO_START, str(configuration))
    with program(*command, environ=environ, folder=folder) as process:
        while (line := first_line(process.stdout)) and not line.startswith("http://"):
            pass  # it says other things before its address
        if not line:
            raise BenchError("TensorZero did not start")
        yield process.pid, int(line.partition("127.0.0.1:")[2].partition("/")[0])


@contextmanager
def _logged(*command: str, folder: Path, log: str, environ: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    home = {"HOME": str(folder), "LANG": os.environ.get("LANG", "C.UTF-8")}
    with program(*command, environ={**home, **environ}, folder=folder, log=folder / log, logs_errors=True) as process:
        yield process
