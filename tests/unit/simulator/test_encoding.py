"""Content codings decode to what was put in."""

import gzip
import shutil
import subprocess
import zlib

import pytest

from crouter.simulator.encoding import encode_body

BODIES = [b"", b"x", b"hello " * 5, bytes(range(256)) * 700]


@pytest.mark.parametrize("body", BODIES)
def test_gzip_and_deflate_are_read_back(body: bytes) -> None:
    assert gzip.decompress(encode_body(body, "gzip")) == body
    assert zlib.decompress(encode_body(body, "deflate")) == body


@pytest.mark.skipif(shutil.which("node") is None, reason="SKIPPED: no node to decode br with")
@pytest.mark.parametrize("body", BODIES)
def test_br_is_read_back_by_a_real_decoder(body: bytes) -> None:
    read = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
    decoded = subprocess.run(["node", "-e", read], input=encode_body(body, "br"), capture_output=True, check=True)
    assert decoded.stdout == body
