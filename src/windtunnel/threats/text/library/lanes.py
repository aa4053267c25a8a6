"""Lanes: searches that run a step at a time, so that the questions of many can be answered together. Imports torch."""

from __future__ import annotations

import ctypes
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import numpy as np
import torch

from windtunnel.seeding import reseed

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Result = TypeVar("Result")

GRACE = 2.0
"""Seconds within which a search that is told to stop has to; one that sits in compiled code may not hear it, and is left behind."""


class OutOfTimeError(BaseException):
    """Raised inside a search whose time is up; no handler for ordinary errors holds it."""


class StoppedError(BaseException):
    """Raised inside a search that nobody waits for any more."""


class Draws:
    """The states of the global generators of Python, NumPy and torch, as one search left them."""

    def __init__(self) -> None:
        self._python, self._numpy, self._torch = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def restore(self) -> None:
        """Draw on from there."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        torch.set_rng_state(self._torch)


class Lane(Generic[Question, Answer, Result]):
    """One search, in a thread of its own that runs only while `go` waits for it.

    So no two searches ever run at the same time. Each draws from its own continuation of the global generators, whatever others draw.

    Args:
        search: given `ask`, which waits until `go` brings the answer.
        key: of the search's draws, as in `windtunnel.seeding`.
        seconds: that the search itself may take, waiting not counted.
    """

    def __init__(self, search: Callable[[Callable[[Question], Answer]], Result], key: tuple[str | int, ...], seconds: float) -> None:
        self.question: Question | None = None
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.done = False
        self._search, self._key, self._left = search, key, seconds
        self._answer: Any = None
        self._draws: Draws | None = None
        self._stopped = False
        self._turn, self._parked = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"search {key[-1]}")

    def go(self, answer: Answer | None = None) -> None:
        """Run to the next question, the result, or an error, the lack of time included."""
        outside = Draws()
        if self._draws is None:
            reseed(*self._key)
            self._thread.start()
        else:
            self._draws.restore()
        started = time.perf_counter()
        self.question, self._answer = None, answer
        self._turn.release()
        if not self._parked.acquire(timeout=max(self._left, 0.0)):
            self._interrupt()
        self._left -= time.perf_counter() - started
        self._draws = Draws()
        outside.restore()

    def close(self) -> None:
        """End the search where it waits."""
        if self._thread.is_alive():
            self._stopped = True
            self._turn.release()
            self._thread.join(GRACE)

    def _ask(self, question: Question) -> Answer:
        self.question = question
        self._pause()
        answer: Answer = self._answer
        return answer

    def _pause(self) -> None:
        self._parked.release()
        self._turn.acquire()
        if self._stopped:
            raise StoppedError

    def _run(self) -> None:
        with suppress(OutOfTimeError):  # one that comes when the search has just ended
            try:
                self._turn.acquire()
                if not self._stopped:
                    self.result = self._search(self._ask)
            except BaseException as error:  # whatever ends a search must reach whoever waits for it
                self.error = error
            self.done = True
            self._parked.release()

    def _interrupt(self) -> None:
        """Raise an error inside the thread, wherever it is, and wait for it to end; if it does not, count it as ended all the same."""
        self._stopped = True
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(OutOfTimeError))
        self._turn.release()
        self._parked.acquire(timeout=GRACE)
        if not isinstance(self.error, OutOfTimeError):
            self.error, self.result = OutOfTimeError(), None
        self.done = True


class Lanes(Generic[Question, Answer, Result]):
    """Several lanes, closed together."""

    def __init__(self, lanes: list[Lane[Question, Answer, Result]]) -> None:
        self.lanes = lanes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for lane in self.lanes:
            lane.close()

    def run(self, answer: Callable[[list[Question]], list[Answer]]) -> None:
        """Run all to their ends; `answer` is given the questions of all that wait, in the order of the lanes."""
        for lane in self.lanes:
            lane.go()
        while waiting := [lane for lane in self.lanes if not lane.done]:
            questions: list[Any] = [lane.question for lane in waiting]
            for lane, found in zip(waiting, answer(questions), strict=True):
                lane.go(found)
