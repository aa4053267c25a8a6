"""Preparing minibatches ahead of the steps, in another thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2
"""Minibatches that wait at most."""


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next ones being made while one is used; what `items` raises is raised here."""
    ready: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(DEPTH)
    stopped = threading.Event()

    def put(item: T | None, error: BaseException | None) -> None:
        while not stopped.is_set():
            try:
                ready.put((item, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item, None)
                if stopped.is_set():
                    return
        except BaseException as found:  # it is raised where the items are used
            error = found
        put(None, error)

    thread = threading.Thread(target=work, name="minibatches", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
