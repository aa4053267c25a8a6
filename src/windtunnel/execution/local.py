"""The local engine: worker processes on this machine, one cell each at a time, none of which can take the others down."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windtunnel.core.dataset import DataSource
from windtunnel.core.model import ModelSource
from windtunnel.core.runner import Runner
from windtunnel.errors import StoreError, WindtunnelError
from windtunnel.execution.devices import Devices
from windtunnel.execution.progress import Progress
from windtunnel.execution.work import Evaluate, Finetune, Work

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

Task = Work | DataSource | ModelSource

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Failure:
    """Why a task could not be done.

    Args:
        message: one paragraph for the record.
        details: the traceback, for the log; empty where the message says all.
        fatal: nothing else can succeed either (the disk is full).
    """

    message: str
    details: str = ""
    fatal: bool = False


@dataclass
class _Worker:
    """A process, its place among those that run, the task it holds and since when; `ready` once it has imported what it needs."""

    process: BaseProcess
    link: Connection
    number: int
    task: Task | None = None
    since: float = 0.0
    ready: bool = False


class LocalEngine:
    """Runs tasks on worker processes.

    Args:
        runner: number of workers, device, limits.
        store: root of the store.
        threads: CPU threads of one cell.
    """

    def __init__(self, runner: Runner, store: Path, threads: int) -> None:
        self.runner, self.store, self.threads = runner, store, threads
        self.devices = Devices.of(runner.device)
        self.size = self.devices.workers(runner, threads)
        self._workers: list[_Worker] = []
        self._spawn = multiprocessing.get_context("spawn")

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *reason: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.link.close()

    def run(self, tasks: Sequence[Task], progress: Progress) -> dict[int, Failure]:
        """Do all tasks, the victims before what attacks them; what failed, by position.

        Raises:
            StoreError: the store cannot be written, so nothing more can be kept.
        """
        schedule = _Schedule(tasks)
        while schedule.open:
            self._hand_out(schedule, progress)
            busy = [worker for worker in self._workers if worker.task is not None]
            if not busy:
                break
            ready = wait([thing for worker in busy for thing in (worker.link, worker.process.sentinel)], POLL_SECONDS)
            for worker in busy:
                if worker.link in ready or worker.process.sentinel in ready:
                    self._listen(worker, schedule, progress)
                self._enforce_limits(worker, schedule, progress)
        return schedule.failures

    def _hand_out(self, schedule: _Schedule, progress: Progress) -> None:
        for _ in range(self.size):
            idle = next((worker for worker in self._workers if worker.task is None), None)
            if idle is None and len(self._workers) >= self.size:
                return
            task = schedule.take(progress)
            if task is None:
                return
            if idle is None:
                idle = self._start()
            idle.task, idle.since = task, time.monotonic()
            if isinstance(task, Finetune | Evaluate):
                progress.started(task.cell)
            idle.link.send(task)

    def _start(self) -> _Worker:
        ours, theirs = self._spawn.Pipe()
        taken = {worker.number for worker in self._workers}
        number = next(each for each in range(len(taken) + 1) if each not in taken)
        process = self._spawn.Process(target=_serve, args=(theirs, self.store, self.devices.of_worker(number), self.threads), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours, number)
        self._workers.append(worker)
        return worker

    def _listen(self, worker: _Worker, schedule: _Schedule, progress: Progress) -> None:
        try:
            while worker.link.poll():
                kind, *content = worker.link.recv()
                if kind == "ready":
                    worker.ready, worker.since = True, time.monotonic()
                elif kind == "advanced" and isinstance(worker.task, Finetune):
                    progress.advanced(worker.task.cell, *content)
                elif kind == "learned" and isinstance(worker.task, Finetune):
                    progress.learned(worker.task.cell, *content)
                elif kind == "done":
                    self._done(worker, schedule, progress, content[0])
        except (EOFError, ConnectionError):
            worker.process.join()
            code = worker.process.exitcode
            how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
            self._lost(worker, schedule, progress, f"Its worker process ended with {how}; out of memory is the usual cause.")

    def _done(self, worker: _Worker, schedule: _Schedule, progress: Progress, failure: Failure | None) -> None:
        if failure is not None and failure.fatal:
            raise StoreError(failure.message)
        task, seconds = worker.task, time.monotonic() - worker.since
        worker.task = None
        assert task is not None, "only a busy worker answers"
        schedule.finish(task, failure)
        if isinstance(task, Finetune | Evaluate):
            progress.finished(task.cell, seconds, failure.message if failure else "")

    def _lost(self, worker: _Worker, schedule: _Schedule, progress: Progress, why: str) -> None:
        self._workers.remove(worker)
        worker.link.close()
        self._done(worker, schedule, progress, Failure(why))

    def _enforce_limits(self, worker: _Worker, schedule: _Schedule, progress: Progress) -> None:
        if not worker.ready or not isinstance(worker.task, Finetune | Evaluate):
            return
        minutes, memory = self.runner.cell_minutes, self.runner.memory_gb
        why = ""
        if minutes is not None and time.monotonic() - worker.since > 60 * minutes:
            why = f"It took longer than the runner's limit of {minutes:g} minutes a cell."
        elif memory is not None and _resident_gb(worker.process.pid) > memory:
            why = f"It used more memory than the runner's limit of {memory:g} GB a worker."
        if why:
            worker.process.kill()
            worker.process.join()
            self._lost(worker, schedule, progress, why)


class _Schedule:
    """Which task comes next: victims first, the longest first; an evaluation only after its victim, and one alone of what shares a member."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.position = {id(task): number for number, task in enumerate(tasks)}
        self.waiting = sorted(tasks, key=_urgency)
        self.making = {task.cell.key for task in tasks if isinstance(task, Finetune)}
        self.failures: dict[int, Failure] = {}
        self.failed_victims: set[str] = set()
        self.promised: set[str] = set()  # members that a running task may be making
        self.made: set[str] = set()
        self.running = 0

    @property
    def open(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self.waiting or self.running)

    def take(self, progress: Progress) -> Task | None:
        """The next task whose victim is there; evaluations of a failed victim fail at once."""
        for task in list(self.waiting):
            if isinstance(task, Evaluate) and self.failed_victims.intersection(task.cell.needs):
                self.waiting.remove(task)
                why = "Its victim, or the surrogate it follows, could not be fine-tuned; see that cell."
                self.failures[self.position[id(task)]] = Failure(why)
                progress.finished(task.cell, 0.0, why)
            elif not self._waits(task):
                self.waiting.remove(task)
                self.running += 1
                if isinstance(task, Finetune):
                    self.promised.update(set(task.cell.needs) - self.made)
                return task
        return None

    def _waits(self, task: Task) -> bool:
        """Whether something that it takes is still to be made: a cell, or a member that a running task has in common with it."""
        if isinstance(task, Finetune):
            return not set(task.cell.needs).isdisjoint(self.making | self.promised)
        return isinstance(task, Evaluate) and not self.making.isdisjoint(task.cell.needs)

    def finish(self, task: Task, failure: Failure | None) -> None:
        """Note that a task ended."""
        self.running -= 1
        if failure is not None:
            self.failures[self.position[id(task)]] = failure
        if isinstance(task, Finetune):
            self.making.discard(task.cell.key)
            self.promised.difference_update(task.cell.needs)
            self.made.update(task.cell.needs)
            if failure is not None:
                self.failed_victims.add(task.cell.key)


def _urgency(task: Task) -> tuple[int, float]:
    if isinstance(task, Finetune | Evaluate):
        return (1 if isinstance(task, Finetune) else 2), -task.cell.passes
    return 0, 0.0


def _resident_gb(pid: int | None) -> float:
    """Resident memory of a process, 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9


def _serve(link: Connection, store: Path, device: str, threads: int) -> None:
    """A worker's life: take a task, do it, answer; end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from windtunnel.execution.store import Store
    from windtunnel.execution.workbench import Workbench

    bench: Workbench | None = None
    while True:
        try:
            task = link.recv()
        except (EOFError, ConnectionError):
            return
        failure = None
        try:
            if bench is None:
                bench = Workbench(Store(store), device, threads)
                link.send(("ready",))
            _do(bench, task, link)
        except Exception as error:  # the one place where a cell's failure is caught, whatever it was
            failure = _failure(error)
        link.send(("done", failure))


def _do(bench: Any, task: Task, link: Connection) -> None:
    if isinstance(task, Finetune):
        bench.finetune(task, lambda done, total: link.send(("advanced", done, total)), lambda epoch: link.send(("learned", epoch)))
    elif isinstance(task, Evaluate):
        bench.evaluate(task)
    else:
        bench.prepare(task)


def _failure(error: Exception) -> Failure:
    import traceback

    if isinstance(error, StoreError):
        return Failure(str(error), fatal=True)
    if isinstance(error, WindtunnelError):
        return Failure(str(error))
    return Failure(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
