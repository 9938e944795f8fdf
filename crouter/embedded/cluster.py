"""Starts the server of a data folder, from an empty folder to the first connection."""

import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from crouter.embedded.binaries import PostgresBinaries
from crouter.embedded.errors import ClusterError
from crouter.embedded.folder import DataFolder
from crouter.embedded.identity import Identity, server_identity
from crouter.embedded.process import ServerProcess
from crouter.embedded.server import RunningCluster, dsn
from crouter.embedded.settings import server_settings
from crouter.embedded.socket_folder import socket_folder

_OLD_SERVER_SECONDS = 15.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Cluster:
    """A data folder and the programs to serve it with.

    `durable=False` trades the safety of the data against a crash of the machine for speed: tests
    only. `ready_seconds` bounds the wait for the first connection, crash recovery included.
    `identity` is found out by trying unless it is given.
    """

    data_dir: Path
    binaries: PostgresBinaries
    durable: bool = True
    ready_seconds: float = 60.0
    identity: Identity | None = None

    def start(self) -> RunningCluster:
        """Create the cluster if there is none, start its server and wait until it answers.

        Blocks for about a second, the first time; call it from a thread in asyncio programs. The
        server outlives the calling thread, not the process.

        Raises OtherMajorVersionError or ClusterError before anything is touched if the folder is
        not one for these programs and this user, ClusterInUseError if a server already runs on
        it, ClusterError with the end of the server's log if the start fails.
        """
        folder = DataFolder(self.data_dir.absolute())
        try:
            return self._start(folder)
        except (OSError, subprocess.SubprocessError) as problem:
            raise ClusterError(f"the server on {folder.path} could not be started: {problem}") from problem

    def _start(self, folder: DataFolder) -> RunningCluster:
        identity = self.identity or server_identity()
        identity.require_reach(folder.path, self.binaries.path("postgres"))
        identity.require_owner(folder.path)
        folder.require_major(self.binaries)
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            lock = held.enter_context(folder.locked())
            if folder.is_empty():
                folder.create(self.binaries, identity, durable=self.durable)
            identity.take_over(folder.path)
            folder.retire_dead_server(_OLD_SERVER_SECONDS)
            socket_dir = held.enter_context(socket_folder(folder.path, identity, lock))
            process = self._launch(folder, identity, socket_dir)
            held.callback(process.stop)
            self._await_ready(folder, process, socket_dir)
            return RunningCluster(process, socket_dir, held.pop_all())

    def _launch(self, folder: DataFolder, identity: Identity, socket_dir: Path) -> ServerProcess:
        program = [str(self.binaries.path("postgres")), "-D", str(folder.path)]
        for name, value in server_settings(socket_dir, durable=self.durable).items():
            program += ["-c", f"{name}={value}"]
        log = folder.open_log()
        try:
            return ServerProcess(identity.command(program), log)
        finally:
            os.close(log)

    def _await_ready(self, folder: DataFolder, process: ServerProcess, socket_dir: Path) -> None:
        deadline = time.monotonic() + self.ready_seconds
        while not folder.is_ready(process.pid):
            if process.wait(_POLL_SECONDS):
                raise ClusterError(
                    f"the server on {folder.path} ended while starting (status {process.status}). "
                    f"The end of its log:\n{folder.log_tail()}"
                )
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"the server on {folder.path} was not ready after {self.ready_seconds:g} s and "
                    f"was stopped. The end of its log:\n{folder.log_tail()}"
                )
        try:
            psycopg.connect(dsn(socket_dir, "postgres"), connect_timeout=10).close()
        except psycopg.Error as problem:
            # The driver's message names the socket and the reason, and no query was sent.
            raise ClusterError(f"the server on {folder.path} runs but cannot be reached: {problem}") from problem
