"""A PostgreSQL server of our own, for `crouter run` and for tests; production brings its own database.

    binaries = PostgresBinaries.embedded()
    with Cluster(Path(".crouter/postgres"), binaries).start() as server:
        server.ensure_database("crouter")
        connect(server.dsn("crouter"))

The server lives exactly as long as the process that started it, listens on a private Unix socket
only, and writes no statement and no row into its log. Left out: configuration for production,
replication, backups and upgrades between major versions.
"""

from crouter.embedded.binaries import PostgresBinaries
from crouter.embedded.cluster import Cluster
from crouter.embedded.errors import ClusterError, ClusterInUseError, OtherMajorVersionError
from crouter.embedded.server import RunningCluster

__all__ = [
    "Cluster",
    "ClusterError",
    "ClusterInUseError",
    "OtherMajorVersionError",
    "PostgresBinaries",
    "RunningCluster",
]
