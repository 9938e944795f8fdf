"""`python -m crouter.simulator`: the simulator on its own, until it is interrupted.

The upstream key is read from CROUTER_SIMULATOR_KEY, because other people on the machine can see a
command line.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys

from crouter.simulator.server import DEFAULT_PACE_S, Simulator
from crouter.simulator.steering import __doc__ as marks

DEFAULT_KEY = "sk-ant-simulator"


async def serve(host: str, port: int, pace_s: float) -> None:
    """Serve until SIGINT or SIGTERM; writes one line, the address, to standard output."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulator = Simulator(os.environ.get("CROUTER_SIMULATOR_KEY", DEFAULT_KEY), pace_s=pace_s)
    async with simulator.serving(host, port) as url:
        sys.stdout.write(f"simulated Messages API on {url} (no model is called)\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m crouter.simulator",
        description=marks,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--pace", type=float, default=DEFAULT_PACE_S, help="seconds per delta")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.host, options.port, options.pace))


if __name__ == "__main__":
    main()
