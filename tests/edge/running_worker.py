"""Runs a generated Worker in workerd, the runtime of Cloudflare Workers, with no way out of this machine."""

import asyncio
import contextlib
import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CF_HEADER = "x-test-cf"
"""A request header whose JSON becomes `request.cf`, which Cloudflare fills in production."""

START_SECONDS = 20.0

# `local` is the loopback interface: nothing that the Worker does can leave the machine.
_CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "{cf}"), service = "edge"),
    (name = "https", address = "127.0.0.1:0", service = "edge", https = (
      options = (cfBlobHeader = "{cf}"),
      tlsOptions = (keypair = (privateKey = embed "key.pem", certificateChain = embed "certificate.pem")),
    )),
  ],
);

const edge :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "crouter-edge.js", esModule = embed "crouter-edge.js"),
  ],
  compatibilityDate = "{date}",
  compatibilityFlags = [{flags}],
  bindings = [{bindings}],
  globalOutbound = "loopback",
);
"""


def workerd_binary(root: Path) -> Path | None:
    """The workerd of `node_modules`, or None where it was not installed."""
    return next(iter(sorted(root.glob("node_modules/@cloudflare/workerd-*/bin/workerd"))), None)


@dataclass(frozen=True)
class RunningWorker:
    """A Worker that answers. `output` is everything it printed, once it has ended."""

    http_port: int
    https_port: int
    tls: ssl.SSLContext
    output: bytearray

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def plain_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"


@contextlib.asynccontextmanager
async def running_worker(
    binary: Path, folder: Path, files: Mapping[str, str], bindings: Mapping[str, str]
) -> AsyncIterator[RunningWorker]:
    """Serve the edge family's `files` from `folder` until the block ends. `bindings` become the Worker's `env`."""
    _write(folder, files)
    certificate = _certificate(folder)
    day, flags = await _compatibility(binary, files["edge/wrangler.jsonc"])
    config = folder / "config.capnp"
    config.write_text(
        _CONFIG.format(
            cf=CF_HEADER,
            date=day.isoformat(),
            flags=", ".join(json.dumps(flag) for flag in flags),
            bindings=", ".join(f"(name = {json.dumps(n)}, text = {json.dumps(v)})" for n, v in bindings.items()),
        )
    )
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        str(binary),
        "serve",
        f"--control-fd={writing}",
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        pass_fds=(writing,),
        env={"PATH": os.environ.get("PATH", "")},
    )
    os.close(writing)
    output = bytearray()
    assert process.stdout is not None
    printed = asyncio.create_task(_collect(process.stdout, output))
    try:
        ports = await asyncio.wait_for(asyncio.to_thread(_ports, reading), START_SECONDS)
        assert set(ports) == {"http", "https"}, bytes(output).decode(errors="replace")
        tls = ssl.create_default_context(cadata=certificate.decode())
        yield RunningWorker(ports["http"], ports["https"], tls, output)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await printed


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / Path(path).name).write_text(text)


async def _compatibility(binary: Path, settings: str) -> tuple[date, list[str]]:
    """The declared day, or the newest that the installed workerd knows, and the declared flags."""
    said = json.loads("".join(line for line in settings.splitlines() if not line.startswith("//")))
    process = await asyncio.create_subprocess_exec(str(binary), "--version", stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    newest = date.fromisoformat(printed.decode().split()[1])
    return min(newest, date.fromisoformat(said["compatibility_date"])), said.get("compatibility_flags", [])


def _ports(reading: int) -> dict[str, int]:
    """The port of each socket. Fewer than two when workerd ended before it listened."""
    ports: dict[str, int] = {}
    with os.fdopen(reading, encoding="utf-8") as messages:
        while len(ports) < 2 and (line := messages.readline()):
            message = json.loads(line)
            ports[message["socket"]] = message["port"]
    return ports


async def _collect(stream: asyncio.StreamReader, output: bytearray) -> None:
    while piece := await stream.read(65536):
        output += piece


def _certificate(folder: Path) -> bytes:
    """Writes key.pem and certificate.pem for 127.0.0.1; gives the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crouter edge test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "certificate.pem").write_bytes(text)
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return text
