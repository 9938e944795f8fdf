"""Starts a cluster, says so in one line of JSON, and waits to be killed.

Usage: start_and_wait.py DATA_DIR {best,nobody,ordinary}. With `ordinary`, root becomes an ordinary
user first.
"""

import json
import os
import sys
import time
from pathlib import Path

from crouter.embedded import Cluster, PostgresBinaries
from crouter.embedded.identity import nobody_identity


def main(data_dir: Path, who: str) -> None:
    binaries = PostgresBinaries.embedded()
    identity = nobody_identity() if who == "nobody" else None
    if who == "ordinary":
        # After the imports: the interpreter's own files may be out of this user's reach.
        user = nobody_identity()
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
    server = Cluster(data_dir, binaries, identity=identity).start()
    sys.stdout.write(json.dumps({"pid": server.pid, "dsn": server.dsn()}) + "\n")
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
