"""Starts the processes of a service, replaces those that end, and reloads them one by one.

The listening sockets belong to the supervisor and outlive every process: while one is replaced, connections wait in the
socket's queue and none is refused. SIGHUP reloads, SIGTERM and SIGINT stop. A process makes room only for one that is
ready. No request passes through here.
"""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crouter.runtime.logs import Log
from crouter.runtime.supervision.activation import SHARED, SUPERVISED
from crouter.runtime.supervision.counts import mark_ended
from crouter.runtime.supervision.worker import Worker

READY_SECONDS: Final = 60.0
RESTART_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
# A process that lived so long has not failed at its start.
SETTLED_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Slot:
    """One listener and the worker that serves it now."""

    listener: socket.socket
    worker: Worker


class Supervisor:
    """Keeps one worker for each listener. `command` starts one; it finds its socket as `sd_listen_fds(3)` says.

    `ready` is called once, when the first worker answers. Workers have `stop_seconds` to finish.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        command: Sequence[str],
        environ: Mapping[str, str],
        log: Log,
        stop_seconds: float,
        ready: Callable[[], None],
    ) -> None:
        self._listeners = tuple(listeners)
        self._command = tuple(command)
        self._log = log
        self._stop_seconds = stop_seconds
        self._tell_ready = ready
        # For what workers tell: that they are ready, and what they have counted.
        self._folder = Path(tempfile.mkdtemp(prefix="crouter-"))
        self._environ = {**environ, SHARED: str(self._folder), SUPERVISED: str(os.getpid())}
        self._workers: set[Worker] = set()
        self._started = 0
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()

    async def run(self) -> int:
        """Runs until it is told to stop. Gives 0, or the status of a first worker that could not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        try:
            return await self._run()
        finally:
            await self._stop_all()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _run(self) -> int:
        # The first one alone: what keeps it from starting would keep all of them, and be said as often.
        first = self._start(self._listeners[0])
        if not await self._is_ready(first):
            return 0 if self._stop.is_set() else (first.status or 1)
        slots = [_Slot(self._listeners[0], first)]
        slots += [_Slot(listener, self._start(listener)) for listener in self._listeners[1:]]
        keeping = [asyncio.create_task(self._keep(slot)) for slot in slots]
        self._log.info("started", count=len(slots))
        self._tell_ready()
        try:
            while not self._stop.is_set():
                await _first_of(self._stop.wait(), self._reload.wait())
                if self._reload.is_set() and not self._stop.is_set():
                    self._reload.clear()
                    await self._replace_all(slots)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
        self._log.info("stopping")
        return 0

    async def _keep(self, slot: _Slot) -> None:
        """Serves one listener, with one worker after another."""
        failures = 0
        while True:
            worker = slot.worker
            await worker.ended.wait()
            if slot.worker is not worker:
                continue
            failures = 0 if time.monotonic() - worker.began > SETTLED_SECONDS else failures + 1
            self._log.error("process_ended", status=worker.status, count=failures)
            await asyncio.sleep(RESTART_SECONDS[min(failures, len(RESTART_SECONDS) - 1)])
            if slot.worker is worker:
                slot.worker = self._start(slot.listener)

    async def _replace_all(self, slots: Sequence[_Slot]) -> None:
        for slot in slots:
            new = self._start(slot.listener)
            if not await self._is_ready(new):
                self._log.error("reload_refused", status=new.status)
                new.send(signal.SIGTERM)
                return
            old, slot.worker = slot.worker, new
            old.send(signal.SIGTERM)
        self._log.info("reloaded", count=len(slots))

    def _start(self, listener: socket.socket) -> Worker:
        self._started += 1
        worker = Worker(listener, self._command, self._environ, self._folder / f"notify-{self._started}")
        self._workers.add(worker)
        return worker

    async def _is_ready(self, worker: Worker) -> bool:
        await _first_of(worker.ready.wait(), worker.ended.wait(), self._stop.wait(), seconds=READY_SECONDS)
        return worker.ready.is_set() and not worker.ended.is_set()

    def _reap(self) -> None:
        for worker in [worker for worker in self._workers if worker.reap()]:
            self._workers.discard(worker)
            mark_ended(self._folder, worker.pid)

    async def _stop_all(self) -> None:
        # One that ended between two looks has sent its signal already.
        self._reap()
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        ended = [worker.ended.wait() for worker in self._workers]
        if ended:
            await _first_of(asyncio.gather(*ended), seconds=self._stop_seconds)
        if self._workers:
            self._log.error("processes_killed", count=len(self._workers))
        for worker in self._workers:
            worker.send(signal.SIGKILL)


async def _first_of(
    *waiting: "Coroutine[Any, Any, object] | asyncio.Future[Any]", seconds: float | None = None
) -> None:
    """Waits until one of them is done, or so long."""
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
