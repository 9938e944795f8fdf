"""What can go wrong with the embedded server. Messages name paths, versions and numbers only."""

from pathlib import Path


class ClusterError(Exception):
    """The server could not be found, created, started or reached; the message says what to do."""


class ClusterInUseError(ClusterError):
    """Another process already runs a server on this data folder."""


class OtherMajorVersionError(ClusterError):
    """The data folder was made by a PostgreSQL of another major version; nothing was touched."""

    def __init__(self, data_dir: Path, made_by: str, binaries: str, bin_dir: Path) -> None:
        super().__init__(
            f"{data_dir} was made by PostgreSQL {made_by}, but {bin_dir} holds PostgreSQL "
            f"{binaries}. Nothing was changed. Start it with the programs of PostgreSQL {made_by}; "
            f"or move the folder away to begin with an empty database; to keep its data, dump it "
            f"with PostgreSQL {made_by} (pg_dumpall) and load the dump into the new one."
        )
        self.made_by = made_by
        self.binaries = binaries
